// SPDX-License-Identifier: MIT
// tests/pool/worker_storm_test.cpp — many tasks while random workers are killed.
#include <multiprocessing/pool/worker.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace mp = multiprocessing;

namespace {

/// Takes some microseconds, so that many are hit.
int work(int x) {
    auto const end = mp::platform::monotonic_ns() + 30'000;
    while (mp::platform::monotonic_ns() < end) {}
    return 2 * x;
}

/// Kills a random worker of the pool every few milliseconds, but leaves the time to start another.
class Storm {
public:
    Storm(mp::Pool const& pool, std::uint64_t start_ns)
        : pause_(std::max<std::uint64_t>(5'000'000, 2 * start_ns)),
          thread_([this, &pool] { blow(pool); }) {}
    ~Storm() { end(); }

    std::set<std::int64_t> const& end() {
        over_ = true;
        if (thread_.joinable()) thread_.join();
        return killed_;
    }

private:
    void blow(mp::Pool const& pool) {
        std::minstd_rand random(12345);
        for (; !over_; std::this_thread::sleep_for(pause_)) {
            auto const pids = pool.pids();
            if (pids.empty()) continue;
            auto const pid = pids[random() % pids.size()];
            if (killed_.insert(pid).second) mp::platform::kill_process(pid);
        }
    }

    std::chrono::nanoseconds pause_;
    std::atomic<bool> over_{false};
    std::set<std::int64_t> killed_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("Pool: in a storm of kills a task gives its value, or its worker's death",
          "[pool][faults]") {
    auto const context = test::each_context();
    bool const forks = context.get_start_method() == "fork";
    int const tasks = forks ? 20'000 : 4'000;
    auto const begin = mp::platform::monotonic_ns();
    context.Pool(1).apply(work, 1);
    auto const start_ns = mp::platform::monotonic_ns() - begin;
    {  // a process keeps the room for its references: for more of them than there will be
        auto pool = context.Pool(1);
        mp::Event never;
        pool.apply_async([](mp::Event gate) { gate.wait(); }, never);
        std::vector<mp::AsyncResult<int>> results;
        for (int i = 0; i < tasks + 100; ++i) results.push_back(pool.apply_async(work, i));
    }
    auto const before = test::in_use();
    {
        auto pool = context.Pool(3);
        std::size_t lost = 0;
        {
            Storm storm(pool, start_ns);
            std::vector<mp::AsyncResult<int>> results;
            for (int i = 0; i < tasks; ++i) results.push_back(pool.apply_async(work, i));
            int wrong = 0;
            std::vector<std::int64_t> of;
            for (int i = 0; i < tasks; ++i) {
                try {
                    if (results[static_cast<std::size_t>(i)].get() != 2 * i) ++wrong;
                } catch (mp::WorkerLostError const& error) {
                    ++lost;
                    of.push_back(error.pid());
                }
            }
            CHECK(wrong == 0);
            auto const& killed = storm.end();
            CHECK(lost <= killed.size());
            for (auto const pid : of) CHECK(killed.count(pid) == 1);
            std::set<std::int64_t> const once(of.begin(), of.end());
            CHECK(once.size() == of.size());
        }
        Storm storm(pool, start_ns);
        auto const all = pool.map(work, std::views::iota(0, tasks),
                                  {.chunksize = 10, .retries = 1'000'000});
        int wrong = 0;
        for (int i = 0; i < tasks; ++i) wrong += all[static_cast<std::size_t>(i)] != 2 * i;
        CHECK(wrong == 0);
        storm.end();
        CHECK(pool.apply(work, 4) == 8);
    }
    CHECK(test::nothing_left(before));
}
