// SPDX-License-Identifier: MIT
#include <multiprocessing/synchronize/semaphore.hpp>

#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/crew.hpp"
#include "synchronize/stage.hpp"

#include <atomic>
#include <mutex>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

// CPython: _TestSemaphore._test_semaphore
template <class S>
void check_counting(S const& semaphore) {
    CHECK(semaphore.get_value() == 2);
    CHECK(semaphore.acquire());
    CHECK(semaphore.get_value() == 1);
    CHECK_FALSE(semaphore.locked());
    CHECK(semaphore.acquire());
    CHECK(semaphore.get_value() == 0);
    CHECK(semaphore.locked());
    CHECK_FALSE(semaphore.acquire(false));
    CHECK(semaphore.get_value() == 0);
    semaphore.release();
    CHECK(semaphore.get_value() == 1);
    semaphore.release();
    CHECK(semaphore.get_value() == 2);
}

/// Counts when more than three are inside at once.
void go_through(mp::Semaphore semaphore, mp::Array<int> inside, int times) {
    std::atomic_ref<int> now(inside[0]), too_many(inside[1]), done(inside[2]);
    for (int i = 0; i < times; ++i) {
        if (i % 8 != 7) semaphore.acquire();
        else
            while (!semaphore.acquire(true, 1ms)) {}
        if (now.fetch_add(1) >= 3) too_many.fetch_add(1);
        now.fetch_sub(1);
        done.fetch_add(1);
        semaphore.release();
    }
}

}  // namespace

// CPython: _TestSemaphore.test_semaphore
TEST_CASE("Semaphore: counts down and up, also above its first value", "[semaphore][threads]") {
    mp::SemaphoreOptions const options{.undo = GENERATE(false, true)};
    mp::Semaphore semaphore(2, options);
    check_counting(semaphore);
    semaphore.release();
    CHECK(semaphore.get_value() == 3);
    semaphore.release();
    CHECK(semaphore.get_value() == 4);
}

// CPython: _TestSemaphore.test_bounded_semaphore
TEST_CASE("BoundedSemaphore: counts within its bound", "[semaphore][threads]") {
    mp::SemaphoreOptions const options{.undo = GENERATE(false, true)};
    mp::BoundedSemaphore semaphore(2, options);
    check_counting(semaphore);
    CHECK_THROWS_AS(semaphore.release(), mp::ValueError);
    CHECK_THROWS_WITH(semaphore.release(), "semaphore or lock released too many times");
    CHECK(semaphore.get_value() == 2);
}

// CPython: _TestSemaphore.test_timeout
TEST_CASE("Semaphore: acquire waits as long as it is told", "[semaphore][threads]") {
    mp::SemaphoreOptions const options{.undo = GENERATE(false, true)};
    mp::Semaphore semaphore(0, options);
    auto const elapsed = [&](bool block, mp::Timeout timeout) {
        auto const begin = std::chrono::steady_clock::now();
        CHECK_FALSE(semaphore.acquire(block, timeout));
        return std::chrono::steady_clock::now() - begin;
    };
    elapsed(false, {});  // would never return if it waited
    elapsed(false, 1h);
    elapsed(true, 0s);
    elapsed(true, -1s);
    CHECK(elapsed(true, 30ms) >= 30ms);
    CHECK(elapsed(true, 70ms) >= 70ms);
}

TEST_CASE("Semaphore: text and errors are Python's", "[semaphore][threads]") {
    CHECK(fmt::format("{} {:r}", mp::Semaphore(), mp::Semaphore(3)) ==
          "<Semaphore(value=1)> <Semaphore(value=3)>");
    mp::BoundedSemaphore bounded(2);
    bounded.acquire();
    CHECK(fmt::format("{}", bounded) == "<BoundedSemaphore(value=1, maxvalue=2)>");
    CHECK(fmt::format("{}", mp::BoundedSemaphore(0)) ==
          "<BoundedSemaphore(value=0, maxvalue=0)>");
    try {
        mp::Semaphore{-1};
        FAIL("a semaphore below 0");
    } catch (mp::OSError const& error) {
        CHECK(error.code() == std::errc::invalid_argument);
        CHECK(std::string(error.what()) == "[Errno 22] Invalid argument");
    }
    CHECK_THROWS_AS(mp::BoundedSemaphore(mp::Semaphore::max() + 1), mp::OSError);
    CHECK_THROWS_AS(mp::Semaphore(1 << 17, {.undo = true}), mp::OSError);
    mp::Semaphore full(mp::Semaphore::max());
    CHECK_THROWS_AS(full.release(), mp::ValueError);
    mp::Semaphore undo(40, {.undo = true});
    for (int i = 40; i < 80; ++i) undo.release();
    CHECK(undo.get_value() == 80);
    CHECK_THROWS_AS(undo.release(), mp::ValueError);
}

TEST_CASE("Semaphore: a standard Lockable and counting semaphore", "[semaphore][threads]") {
    mp::Semaphore semaphore(1);
    {
        std::scoped_lock guard(semaphore);
        CHECK(semaphore.locked());
        CHECK_FALSE(semaphore.try_acquire());
        CHECK_FALSE(semaphore.try_acquire_for(1ms));
        std::unique_lock second(semaphore, std::chrono::steady_clock::now() + 1ms);
        CHECK_FALSE(second.owns_lock());
    }
    CHECK(semaphore.try_acquire_until(std::chrono::steady_clock::now()));
    CHECK(mp::Semaphore::max() == 2147483647);
}

TEST_CASE("Semaphore: no more pass than it has permits", "[semaphore][threads]") {
    auto crew = test::each_crew();
    mp::Semaphore semaphore(3, {.undo = GENERATE(false, true)});
    mp::Array<int> inside(3);
    crew.start(5, go_through, semaphore, inside, 3000);
    CHECK(crew.join() == 0);
    CHECK(inside[0] == 0);
    CHECK(inside[1] == 0);
    CHECK(inside[2] == 15'000);
    CHECK(semaphore.get_value() == 3);
}

namespace {

void send_back(mp::Queue<mp::Semaphore> in, mp::Queue<mp::BoundedSemaphore> out) {
    auto const semaphore = in.get();
    semaphore.release();
    mp::BoundedSemaphore bounded(3, {.undo = true});
    out.put(bounded);
}

}  // namespace

TEST_CASE("Semaphore: travels in a queue", "[semaphore]") {
    auto const ctx = test::each_context();
    auto in = ctx.Queue<mp::Semaphore>();
    auto out = ctx.Queue<mp::BoundedSemaphore>();
    mp::Semaphore semaphore(0);
    auto p = ctx.Process(send_back, in, out);
    p.start();
    in.put(semaphore);
    CHECK(semaphore.acquire(true, 20s));
    auto const bounded = out.get();
    CHECK(bounded.get_value() == 3);
    CHECK_THROWS_AS(bounded.release(), mp::ValueError);
    p.join();
    CHECK(p.exitcode() == 0);
    CHECK_THROWS_AS(mp::Semaphore::from(mp::Lock().shared()), mp::UnpicklingError);
}

TEST_CASE("Semaphore: with undo a dead process's permits come back", "[semaphore][fork]") {
    auto const before = family::at_rest();
    {
        mp::BoundedSemaphore semaphore(3, {.undo = true});
        test::Stage stage;
        auto const child = family::start([&] {
            semaphore.acquire();
            semaphore.acquire();
            stage.reach(1);
            stage.await(2);
            return 0;
        });
        stage.await(1);
        CHECK(semaphore.get_value() == 1);
        CHECK(semaphore.acquire(false));
        CHECK_FALSE(semaphore.acquire(true, 30ms));

        SECTION("to one who waits") {
            std::thread killer([&] { mp::platform::kill_process(child.pid); });
            CHECK(semaphore.acquire(true, 20s));
            killer.join();
            child.join();
        }
        SECTION("to one who comes later") {
            CHECK(child.kill() != 0);
            CHECK(semaphore.acquire(false));
        }
        SECTION("also when it leaves by itself") {
            stage.reach(2);
            CHECK(child.join() == 0);
            CHECK(semaphore.acquire(false));
        }
        CHECK(semaphore.get_value() == 1);
        semaphore.release();
        semaphore.release();
        CHECK(semaphore.get_value() == 3);
        CHECK_THROWS_AS(semaphore.release(), mp::ValueError);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Semaphore: without undo they do not", "[semaphore][fork]") {
    mp::Semaphore semaphore(2);
    auto const child = family::start([&] {
        semaphore.acquire();
        return 0;
    });
    CHECK(child.join() == 0);
    CHECK(semaphore.get_value() == 1);
}

TEST_CASE("Semaphore: with undo a permit may be handed on", "[semaphore][fork]") {
    mp::BoundedSemaphore semaphore(2, {.undo = true});
    semaphore.acquire();  // for the child, which gives it back when its work is done
    auto const child = family::start([&] {
        semaphore.release();
        return 0;
    });
    CHECK(child.join() == 0);
    CHECK(semaphore.get_value() == 2);
    CHECK_THROWS_AS(semaphore.release(), mp::ValueError);
}

TEST_CASE("Semaphore: waiters that are killed do not hold up the others", "[semaphore][fork]") {
    auto const before = family::at_rest();
    {
        mp::Semaphore semaphore(0, {.undo = GENERATE(false, true)});
        test::Stage stage;
        std::vector<family::Child> waiters;
        for (int i = 0; i < 3; ++i)
            waiters.push_back(family::start([&] {
                stage.add();
                semaphore.acquire();
                return 0;
            }));
        stage.await(3);
        waiters[0].kill();
        waiters[1].kill();
        semaphore.release();
        CHECK(waiters[2].join() == 0);
    }
    CHECK(family::at_rest() == before);
}
