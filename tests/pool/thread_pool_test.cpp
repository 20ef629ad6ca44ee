// SPDX-License-Identifier: MIT
// tests/pool/thread_pool_test.cpp — the pool's API on threads.
#include <multiprocessing/pool/thread_pool.hpp>

#include <multiprocessing/queues.hpp>

#include "support/catch.hpp"
#include "support/latch.hpp"

#include <atomic>
#include <memory>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace mp = multiprocessing;
using mp::pool::ThreadPool;
using namespace std::chrono_literals;

namespace {

struct Unpicklable {
    explicit Unpicklable(int v) : value(&v - &v + v) {}
    Unpicklable(Unpicklable&&) = default;
    std::ptrdiff_t value;
};
struct Stranger : std::exception {
    char const* what() const noexcept override { return "a stranger"; }
};

}  // namespace

// CPython: _TestPool.test_wrapped_exception
TEST_CASE("ThreadPool: functions may capture, and nothing need be picklable", "[pool][threads]") {
    ThreadPool pool(3);
    int const offset = 100;
    CHECK(pool.map([&](int x) { return x + offset; }, {1, 2, 3}) == std::vector{101, 102, 103});
    CHECK(pool.apply([](std::unique_ptr<int> box) { return *box; }, std::make_unique<int>(7)) == 7);
    CHECK(pool.apply([](int v) { return Unpicklable(v); }, 5).value == 5);
    CHECK(pool.starmap([](int a, std::string const& b) { return b + std::to_string(a); },
                       {std::tuple{1, "a"}, std::tuple{2, "b"}}) ==
          std::vector<std::string>{"a1", "b2"});
    CHECK_THROWS_AS(pool.apply([] { throw Stranger{}; }), Stranger);
    std::set<std::thread::id> ids;
    for (auto const id : pool.map([](int) { return std::this_thread::get_id(); },
                                  std::views::iota(0, 100), {.chunksize = 1}))
        ids.insert(id);
    CHECK(ids.size() <= 3);
    CHECK(ids.count(std::this_thread::get_id()) == 0);
    CHECK(fmt::format("{}", pool) == "<multiprocessing.pool.ThreadPool state=RUN pool_size=3>");
}

TEST_CASE("ThreadPool: imap, also without an end", "[pool][threads]") {
    ThreadPool pool(2);
    int expected = 0;
    for (int x : pool.imap([](int i) { return 2 * i; }, std::views::iota(0), {.chunksize = 3})) {
        CHECK(x == 2 * expected);
        if (++expected == 100) break;
    }
    int sum = 0;
    for (int x : pool.imap_unordered([](int i) { return i; }, {1, 2, 3})) sum += x;
    CHECK(sum == 6);
}

TEST_CASE("ThreadPool: callbacks, time-outs, cancelling", "[pool][threads]") {
    ThreadPool pool(1);
    test::Latch begun(1), go(1);
    auto const first = pool.apply_async([&] {
        begun.count_down();
        go.wait();
        return 1;
    });
    begun.wait();
    std::atomic<int> called{0};
    auto const second = pool.apply_async({.callback = [&](int) { ++called; }}, [] { return 2; });
    auto const third = pool.apply_async(
        {.error_callback = [&](std::exception_ptr) { called += 10; }}, [] { return 3; });
    CHECK_THROWS_AS(first.get(1ms), mp::TimeoutError);
    CHECK_THROWS_AS(second.successful(), mp::ValueError);
    CHECK_FALSE(first.cancel());
    CHECK(third.cancel());
    CHECK_FALSE(third.cancel());
    CHECK_THROWS_AS(third.get(), mp::CancelledError);
    go.count_down();
    CHECK(second.get() == 2);
    CHECK(first.get() == 1);
    CHECK(called == 11);
    CHECK_FALSE(second.cancel());
}

TEST_CASE("ThreadPool: close ends the work, terminate drops it", "[pool][threads]") {
    {
        ThreadPool pool(2);
        CHECK_THROWS_AS(pool.join(), mp::ValueError);
        auto const result = pool.map_async([](int x) { return x; }, std::views::iota(0, 1000),
                                           {.chunksize = 1});
        pool.close();
        CHECK_THROWS_AS(pool.apply([] {}), mp::ValueError);
        pool.join();
        CHECK(result.get().size() == 1000);
    }
    std::atomic<int> ran{0};
    ThreadPool pool(1);
    test::Latch begun(1), go(1);
    auto const running = pool.apply_async([&] {
        begun.count_down();
        go.wait();
    });
    auto const queued = pool.map_async([&](int) { ++ran; }, std::views::iota(0, 10));
    begun.wait();
    pool.terminate();
    CHECK_THROWS_AS(running.get(), mp::RuntimeError);
    CHECK_THROWS_AS(queued.get(), mp::RuntimeError);
    go.count_down();
    pool.join();
    CHECK(ran == 0);
}

TEST_CASE("ThreadPool: the initializer runs in each thread; one that throws fails the pool",
          "[pool][threads]") {
    std::atomic<int> runs{0};
    {
        ThreadPool pool({.processes = 3, .initializer = [&] { ++runs; }});
        pool.close();
        pool.join();
        CHECK(runs == 3);
    }
    ThreadPool pool({.processes = 2, .initializer = [] { throw std::invalid_argument("no"); }});
    auto const try_it = [&] { pool.apply([] {}); };
    CHECK_THROWS_AS(try_it(), std::invalid_argument);
    CHECK_THROWS_AS(ThreadPool(0), mp::ValueError);
}

// CPython: _TestPool.test_release_task_refs
TEST_CASE("ThreadPool: arguments are gone when the result is there", "[pool][threads]") {
    ThreadPool pool(2);
    auto const object = std::make_shared<int>(1);
    pool.apply([](std::shared_ptr<int> const& p) { return *p; }, object);
    std::vector<std::shared_ptr<int>> const objects(10, object);
    auto const results = pool.map([](std::shared_ptr<int> p) { return *p; }, objects);
    CHECK(results.size() == 10);
    CHECK(object.use_count() == 11);
}
