// SPDX-License-Identifier: MIT
// tests/synchronize/owner_killed_test.cpp — owners of locks are killed, under every start method.
#include <multiprocessing/synchronize/owner.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

template <class L>
void hold(L lock, mp::Queue<int> ready) {
    lock.acquire();
    ready.put(1);
    for (;;) std::this_thread::sleep_for(1h);
}

template <class L>
void wait_for(L lock, mp::Queue<int> ready, mp::Queue<bool> had) {
    ready.put(1);
    if (!lock.acquire(true, 20s)) throw mp::SystemExit(1);
    had.put(lock.abandoned());
    lock.release();
}

template <class L>
void count(L lock, mp::RawValue<int> total, mp::Queue<int> ready) {
    ready.put(1);
    for (;;) {
        lock.acquire();
        total.value() += 1;
        lock.release();
    }
}

}  // namespace

TEMPLATE_TEST_CASE("Lock, RLock: the next one gets what a killed owner held", "[lock][rlock]",
                   mp::Lock, mp::RLock) {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    TestType lock;
    auto ready = ctx.Queue<int>();
    auto had = ctx.Queue<bool>();
    auto owner = ctx.Process(hold<TestType>, lock, ready);
    owner.start();
    ready.get(true, 20s);
    CHECK_FALSE(lock.acquire(false));
    auto waiter = ctx.Process(wait_for<TestType>, lock, ready, had);
    waiter.start();
    ready.get(true, 20s);
    owner.kill();
    owner.join();
    CHECK(owner.exitcode() < 0);
    CHECK(had.get(true, 20s));
    waiter.join();
    CHECK(waiter.exitcode() == 0);
    CHECK(lock.acquire(true, 20s));
    CHECK_FALSE(lock.abandoned());
    lock.release();
    CHECK(test::no_process_left(before));
}

TEMPLATE_TEST_CASE("Lock, RLock: workers killed at their work stop nobody", "[lock][rlock]",
                   mp::Lock, mp::RLock) {
    auto const ctx = test::each_context();
    TestType lock;
    mp::RawValue<int> total(0);
    auto ready = ctx.Queue<int>();
    for (int round = 0; round < 4; ++round) {
        std::vector<mp::Process> workers;
        for (int i = 0; i < 2; ++i) {
            workers.push_back(ctx.Process(count<TestType>, lock, total, ready));
            workers.back().start();
            ready.get(true, 20s);
        }
        for (auto& worker : workers) worker.kill();
        for (auto& worker : workers) worker.join();
        CHECK(lock.acquire(true, 20s));
        lock.release();
    }
    CHECK(total.value() > 0);
}
