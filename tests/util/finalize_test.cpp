// SPDX-License-Identifier: MIT
// tests/util/finalize_test.cpp — finalizers run once, in order, and only where they were made.
#include <multiprocessing/util/finalize.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;

TEST_CASE("Finalize: runs once, when called or destroyed", "[util]") {
    int runs = 0;
    {
        mp::util::Finalize finalizer([&] { ++runs; });
        CHECK(finalizer.still_active());
        CHECK(finalizer());
        CHECK_FALSE(finalizer.still_active());
        CHECK_FALSE(finalizer());
    }
    CHECK(runs == 1);
    {
        mp::util::Finalize const finalizer([&] { ++runs; });
    }
    CHECK(runs == 2);
    {
        mp::util::Finalize finalizer([&] { ++runs; });
        finalizer.cancel();
        CHECK_FALSE(finalizer.still_active());
    }
    CHECK(runs == 2);
    {
        mp::util::Finalize first([&] { ++runs; });
        auto second = std::move(first);
        second = mp::util::Finalize([&] { runs += 10; });
        CHECK(runs == 3);
    }
    CHECK(runs == 13);
}

TEST_CASE("Finalize: by falling priority, later-made first, those without one never", "[util]") {
    // CPython: _TestFinalize.test_finalize
    std::string order;
    auto const make = [&](char const* name, std::optional<int> priority) {
        return mp::util::Finalize([&order, name] { order += name; }, priority);
    };
    auto const a = make("a ", 1), b = make("b ", 1), c = make("c ", 20), none = make("none ", {});
    auto const d = make("d ", 0), e = make("e ", -5),
               thrower = mp::util::Finalize([] { throw mp::ValueError("x"); }, 5);
    mp::util::run_finalizers(0);
    CHECK(order == "c b a d ");
    mp::util::run_finalizers();
    CHECK(order == "c b a d e ");
    CHECK(none.still_active());
}

namespace {
void leave_finalizers(mp::Queue<std::string> q) {
    for (auto const& [name, priority] :
         std::vector<std::pair<std::string, int>>{{"low", -1}, {"zero", 0}, {"high", 15}})
        mp::util::Finalize::at_exit(priority, [q, name]() mutable { q.put(name); });
    // Made before the exit, and ends in the middle of it.
    mp::Process([](mp::Queue<std::string> queue) { queue.put("child"); }, q).start();
}
}  // namespace

namespace {
void wait_and_tell(mp::Queue<std::string> q, mp::Queue<int> go) {
    go.get();
    q.put("child");
}
void leave_in_order(mp::Queue<std::string> q) {
    mp::util::Finalize::at_exit(-100, [q]() mutable { q.put("last"); });
    mp::Queue<int> go;
    mp::Process(wait_and_tell, q, go).start();
    mp::util::Finalize::at_exit(0, [q, go]() mutable {
        q.put("first");
        go.put(1);
    });
}
}  // namespace

TEST_CASE("Finalize: the exit runs finalizers, then joins children, then the rest", "[util]") {
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::string>();
    auto p = ctx.Process(leave_in_order, q);
    p.start();
    p.join();
    CHECK(q.get() == "first");
    CHECK(q.get() == "child");
    CHECK(q.get() == "last");
}

TEST_CASE("Finalize: a child does its exit work, whatever started it", "[util]") {
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::string>();
    auto p = ctx.Process(leave_finalizers, q);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    std::vector<std::string> seen{q.get(), q.get(), q.get(), q.get()};
    auto const child = std::find(seen.begin(), seen.end(), "child");
    CHECK(child != seen.end());
    CHECK(seen.back() == "low");
    seen.erase(child);
    CHECK(seen == std::vector<std::string>{"high", "zero", "low"});
}

namespace {
int generation = 0;
}

TEST_CASE("register_after_fork: once in each forked child, and no more often in later ones",
          "[util][fork]") {
    // CPython: TestForkAwareThreadLock.test_lock
    for (int i = 0; i < 3; ++i) mp::util::register_after_fork([] { ++generation; });
    struct Chain {
        static void run(int depth) {
            if (depth == 0) throw mp::SystemExit(generation);
            auto p = mp::get_context("fork").Process(run, depth - 1);
            p.start();
            p.join();
            throw mp::SystemExit(*p.exitcode());
        }
    };
    auto p = mp::get_context("fork").Process(Chain::run, 4);
    p.start();
    p.join();
    CHECK(p.exitcode() == 5);
    CHECK(generation == 0);
}

TEST_CASE("Finalize: threads may make, call and cancel them at the same time", "[util][threads]") {
    // CPython: _TestFinalize.test_thread_safety
    std::atomic<int> runs = 0;
    std::atomic<bool> over = false;
    std::thread runner([&] {
        while (!over) mp::util::run_finalizers(1000);
    });
    std::vector<std::thread> threads;
    constexpr int rounds = 500;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                mp::util::Finalize called([&] { ++runs; }, 1000 + i);
                mp::util::Finalize cancelled([] {}, 1);
                called();
                cancelled.cancel();
            }
        });
    for (auto& thread : threads) thread.join();
    over = true;
    runner.join();
    CHECK(runs == 3 * rounds);
}
