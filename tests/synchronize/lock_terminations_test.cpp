// SPDX-License-Identifier: MIT
// tests/synchronize/lock_terminations_test.cpp — owners and waiters are killed under every start
// method; the others go on, one at a time, and hear of it.
#include <multiprocessing/synchronize.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "support/terminations.hpp"

#include <atomic>
#include <chrono>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

/// Two numbers that only the owner of the lock changes, and which are the same while nobody has it.
struct Twins {
    mp::RawArray<std::uint64_t> numbers{0, 0};

    std::atomic_ref<std::uint64_t> first() { return std::atomic_ref(numbers[0]); }
    std::atomic_ref<std::uint64_t> second() { return std::atomic_ref(numbers[1]); }
};

template <class L>
void count_twins(L lock, Twins twins, test::Progress progress) {
    while (!progress.over()) {
        if (!lock.acquire(true, 20s)) throw mp::SystemExit(2);
        if (lock.abandoned()) twins.second() = twins.first().load();
        if (twins.first() != twins.second()) progress.fault();
        twins.first() = twins.first() + 1;
        progress.done();
        twins.second() = twins.second() + 1;
        lock.release();
    }
}

}  // namespace

TEMPLATE_TEST_CASE("Lock, RLock: owners and waiters that are killed at random stop nobody",
                   "[lock][rlock]", mp::Lock, mp::RLock) {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    {
        TestType lock;
        Twins twins;
        test::Progress progress;
        auto const worker = [&] {
            return ctx.Process(count_twins<TestType>, lock, twins, progress);
        };
        test::kill_at_random(progress, {worker, worker, worker}, 40);
        CHECK(progress.faults() == 0);
        REQUIRE(lock.acquire(true, 20s));
        if (!lock.abandoned()) CHECK(twins.first() == twins.second());
        lock.release();
    }
    CHECK(test::nothing_left(before));
}

namespace {

void hold_one(mp::BoundedSemaphore semaphore, test::Progress progress) {
    while (!progress.over()) {
        if (!semaphore.acquire(true, 20s)) throw mp::SystemExit(2);
        progress.done();
        semaphore.release();
    }
}

}  // namespace

TEST_CASE("Semaphore: holders and waiters that are killed at random leave it whole, with undo",
          "[semaphore]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    {
        mp::BoundedSemaphore semaphore(2, {.undo = true});
        test::Progress progress;
        auto const worker = [&] { return ctx.Process(hold_one, semaphore, progress); };
        test::kill_at_random(progress, {worker, worker, worker}, 40);
        CHECK(test::eventually([&] { return test::in_use().slots == 1; }));  // this process's
        CHECK(semaphore.get_value() == 2);
        CHECK_THROWS_AS(semaphore.release(), mp::ValueError);
    }
    CHECK(test::nothing_left(before));
}
