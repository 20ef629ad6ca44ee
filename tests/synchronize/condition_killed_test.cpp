// SPDX-License-Identifier: MIT
// tests/synchronize/condition_killed_test.cpp — who waits is killed, under every start method.
#include <multiprocessing/synchronize.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

void await_event(mp::Event event, mp::Queue<int> ready) {
    ready.put(1);
    if (!event.wait(20s)) throw mp::SystemExit(1);
}

void set_and_clear(mp::Event event, mp::Queue<int> ready) {
    for (int i = 0;; ++i) {
        event.set();
        event.clear();
        if (i == 50) ready.put(1);
    }
}

void wait_for_notification(mp::Condition condition, mp::Queue<int> ready) {
    std::scoped_lock guard(condition);
    ready.put(1);
    if (!condition.wait(20s)) throw mp::SystemExit(1);
}

void meet(mp::Barrier barrier) {
    try {
        barrier.wait(20s);
    } catch (mp::BrokenBarrierError const&) {
        throw mp::SystemExit(3);
    }
}

int exit_code(mp::Process& process) {
    process.join();
    return process.exitcode().value();
}

}  // namespace

TEST_CASE("Event: works on when a waiter and a setter are killed, under every start method",
          "[event]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    {
        mp::Event event;
        auto ready = ctx.Queue<int>();
        std::vector<mp::Process> waiters;
        for (int i = 0; i < 3; ++i) {
            waiters.push_back(ctx.Process(await_event, event, ready));
            waiters.back().start();
        }
        for (int i = 0; i < 3; ++i) ready.get(true, 20s);
        waiters[0].kill();
        CHECK(exit_code(waiters[0]) < 0);
        auto setter = ctx.Process(set_and_clear, event, ready);
        setter.start();
        ready.get(true, 20s);
        setter.kill();
        CHECK(exit_code(setter) < 0);
        event.set();
        CHECK(exit_code(waiters[1]) == 0);
        CHECK(exit_code(waiters[2]) == 0);
        CHECK(event.wait(20s));
    }
    CHECK(test::nothing_left(before));
}

TEST_CASE("Condition: what a killed waiter was told passes to another, under every start method",
          "[condition]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    {
        mp::Condition condition;
        auto ready = ctx.Queue<int>();
        std::vector<mp::Process> waiters;
        for (int i = 0; i < 4; ++i) {
            waiters.push_back(ctx.Process(wait_for_notification, condition, ready));
            waiters.back().start();
            ready.get(true, 20s);
            std::scoped_lock guard(condition);  // it waits
        }
        SECTION("killed before") {
            waiters[0].kill();
            waiters[1].kill();
            CHECK(exit_code(waiters[0]) < 0);
            CHECK(exit_code(waiters[1]) < 0);
            std::scoped_lock guard(condition);
            condition.notify(2);
        }
        SECTION("killed behind it, before it has the lock") {
            std::scoped_lock guard(condition);
            condition.notify(2);
            waiters[0].kill();
            waiters[1].kill();
            CHECK(exit_code(waiters[0]) < 0);
            CHECK(exit_code(waiters[1]) < 0);
        }
        CHECK(exit_code(waiters[2]) == 0);
        CHECK(exit_code(waiters[3]) == 0);
    }
    CHECK(test::nothing_left(before));
}

TEST_CASE("Barrier: a party that is killed breaks it, by name, under every start method",
          "[barrier]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    {
        mp::Barrier barrier(3);
        auto const join_party = [&](int waiting) {
            auto party = ctx.Process(meet, barrier);
            party.start();
            CHECK(test::eventually([&] { return barrier.n_waiting() == waiting; }));
            return party;
        };
        auto victim = join_party(1);
        auto other = join_party(2);
        auto const expected = fmt::format(
            "barrier is broken: process {} ended while the others waited for it", *victim.pid());
        victim.kill();
        CHECK(exit_code(victim) < 0);
        CHECK(exit_code(other) == 3);
        CHECK_THROWS_WITH(barrier.wait(20s), expected);
        CHECK(barrier.broken());
        barrier.reset();
        auto a = join_party(1);
        auto b = join_party(2);
        barrier.wait(20s);
        CHECK(exit_code(a) == 0);
        CHECK(exit_code(b) == 0);
    }
    CHECK(test::nothing_left(before));
}
