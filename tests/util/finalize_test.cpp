// SPDX-License-Identifier: MIT
// tests/util/finalize_test.cpp — finalizers run once, in order, and only where they were made.
#include <multiprocessing/util/finalize.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"

#include <string>
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

TEST_CASE("Finalize: the exit runs finalizers, then joins children, then the rest", "[util]") {
    mp::Queue<std::string> q;
    mp::Process p([q]() mutable {
        mp::util::Finalize::at_exit(-100, [q]() mutable { q.put("last"); });
        mp::Queue<int> go;
        mp::Process([q, go]() mutable {
            go.get();
            q.put("child");
        }).start();
        mp::util::Finalize::at_exit(0, [q, go]() mutable {
            q.put("first");
            go.put(1);
        });
    });
    p.start();
    p.join();
    CHECK(q.get() == "first");
    CHECK(q.get() == "child");
    CHECK(q.get() == "last");
}

TEST_CASE("Finalize: a spawned child does its exit work too", "[util]") {
    mp::Queue<std::string> q;
    auto p = mp::get_context("spawn").Process(leave_finalizers, q);
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

TEST_CASE("register_after_fork: once in each forked child, not in the parent", "[util]") {
    // CPython: TestForkAwareThreadLock.test_lock
    for (int i = 0; i < 3; ++i) mp::util::register_after_fork([] { ++generation; });
    mp::Process p([] {
        mp::Process inner([] { throw mp::SystemExit(generation); });
        inner.start();
        inner.join();
        throw mp::SystemExit(*inner.exitcode() * 10 + generation);
    });
    p.start();
    p.join();
    CHECK(p.exitcode() == 21);
    CHECK(generation == 0);
}
