// SPDX-License-Identifier: MIT
#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/stage.hpp"

#include <mutex>
#include <thread>

#include <pthread.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

template <class L>
std::string text(L const& lock) {
    CHECK(fmt::format("{}", lock) == fmt::format("{:r}", lock));
    return fmt::format("{}", lock);
}

template <class F>
void in_thread(F f) {
    std::thread([f] {
        ::pthread_setname_np(::pthread_self(), "T1");
        f();
    }).join();
}

}  // namespace

// CPython: _TestLock.test_lock
TEST_CASE("Lock: one acquire succeeds, then a release, then none is too much", "[lock][threads]") {
    mp::Lock lock;
    CHECK_FALSE(lock.locked());
    CHECK(lock.acquire());
    CHECK(lock.locked());
    CHECK_FALSE(lock.acquire(false));
    lock.release();
    CHECK_FALSE(lock.locked());
    CHECK_THROWS_AS(lock.release(), mp::ValueError);
    CHECK_THROWS_WITH(lock.release(), "semaphore or lock released too many times");
}

// CPython: _TestLock.test_rlock
TEST_CASE("RLock: as many releases as acquires, one more is an error", "[rlock][threads]") {
    mp::RLock lock;
    for (int i = 0; i < 3; ++i) CHECK(lock.acquire(i == 0));
    for (int i = 0; i < 3; ++i) {
        CHECK(lock.locked());
        lock.release();
    }
    CHECK_FALSE(lock.locked());
    CHECK_THROWS_AS(lock.release(), mp::AssertionError);
    CHECK_THROWS_WITH(lock.release(), "attempt to release recursive lock not owned by thread");
}

// CPython: _TestLock.test_lock_context, test_rlock_context
TEST_CASE("Lock, RLock: standard guards hold them", "[lock][rlock][threads]") {
    mp::Lock lock;
    mp::RLock rlock;
    {
        std::scoped_lock guard(lock, rlock);
        CHECK(lock.locked());
        CHECK(rlock.locked());
    }
    {
        std::unique_lock guard(lock, std::try_to_lock);
        CHECK(guard.owns_lock());
        std::unique_lock second(lock, std::defer_lock);
        CHECK_FALSE(second.try_lock());
        CHECK_FALSE(second.try_lock_for(1ms));
        CHECK_FALSE(second.try_lock_until(std::chrono::system_clock::now() + 1ms));
    }
    {
        mp::Lock const& same = lock;
        std::lock_guard guard(same);
    }
    CHECK_FALSE(lock.locked());
    CHECK_FALSE(rlock.locked());
}

TEST_CASE("Lock: copies are the same lock", "[lock][threads]") {
    mp::Lock lock;
    auto const copy = lock;
    copy.acquire();
    CHECK(lock.locked());
    CHECK(copy == lock);
    CHECK_FALSE(copy == mp::Lock());
    lock.release();
}

TEST_CASE("Lock: acquire returns false when the time-out expires", "[lock][threads]") {
    mp::Lock lock;
    lock.acquire();
    auto const begin = std::chrono::steady_clock::now();
    CHECK_FALSE(lock.acquire(true, 60ms));
    auto const passed = std::chrono::steady_clock::now() - begin;
    CHECK(passed >= 60ms);
    CHECK(passed < 10s);
    CHECK_FALSE(lock.acquire(true, 0s));
    CHECK_FALSE(lock.acquire(true, -1s));
    CHECK_FALSE(lock.acquire(false, 1h));
    lock.release();
    CHECK(lock.acquire(true, 0s));
    lock.release();
}

TEST_CASE("Lock: another thread may release it, an RLock not", "[lock][rlock][threads]") {
    mp::Lock lock;
    mp::RLock rlock;
    lock.acquire();
    rlock.acquire();
    bool refused = false, not_acquired = false;
    in_thread([&] {
        lock.release();
        not_acquired = !rlock.acquire(false);
        try {
            rlock.release();
        } catch (mp::AssertionError const&) {
            refused = true;
        }
    });
    CHECK_FALSE(lock.locked());
    CHECK(refused);
    CHECK(not_acquired);
    CHECK(rlock.locked());
    rlock.release();
}

// CPython: _TestLock.test_repr_lock
TEST_CASE("Lock: repr names the owner", "[lock][fork]") {
    mp::Lock lock;
    CHECK(text(lock) == "<Lock(owner=None)>");
    lock.acquire();
    CHECK(text(lock) == "<Lock(owner=MainProcess)>");
    lock.release();

    std::string in_t1;
    in_thread([&] {
        lock.acquire();
        in_t1 = fmt::format("{}", lock);
    });
    CHECK(in_t1 == "<Lock(owner=MainProcess|T1)>");
    CHECK(text(lock) == "<Lock(owner=SomeOtherThread)>");
    lock.release();

    test::Stage stage;
    auto child = family::start([&] {
        lock.acquire();
        stage.reach(1);
        stage.await(2);
        return fmt::format("{}", lock) == "<Lock(owner=child)>" ? 0 : 1;
    });
    stage.await(1);
    CHECK(text(lock) == "<Lock(owner=SomeOtherProcess)>");
    stage.reach(2);
    CHECK(child.join() == 0);
}

// CPython: _TestLock.test_repr_rlock
TEST_CASE("RLock: repr names the owner and the depth", "[rlock][fork]") {
    mp::RLock lock;
    CHECK(text(lock) == "<RLock(None, 0)>");
    for (int n = 1; n <= 3; ++n) {
        lock.acquire();
        CHECK(text(lock) == fmt::format("<RLock(MainProcess, {})>", n));
    }
    std::string elsewhere;
    in_thread([&] { elsewhere = fmt::format("{}", lock); });
    CHECK(elsewhere == "<RLock(SomeOtherThread, nonzero)>");
    auto child = family::start(
        [&] { return fmt::format("{}", lock) == "<RLock(SomeOtherProcess, nonzero)>" ? 0 : 1; });
    CHECK(child.join() == 0);
    for (int n = 0; n < 3; ++n) lock.release();
    in_thread([&] {
        lock.acquire();
        elsewhere = fmt::format("{}", lock);
        lock.release();
    });
    CHECK(elsewhere == "<RLock(MainProcess|T1, 1)>");
}

// CPython: _TestLock.test_lock_locked_2processes, test_rlock_locked_2processes
TEMPLATE_TEST_CASE("Lock, RLock: locked is true in both processes", "[lock][rlock][fork]", mp::Lock,
                   mp::RLock) {
    auto const before = family::at_rest();
    {
        TestType lock;
        test::Stage stage;
        auto child = family::start([&] {
            lock.acquire();
            auto const inside = lock.locked();
            stage.reach(1);
            stage.await(2);
            lock.release();
            return inside ? 0 : 1;
        });
        stage.await(1);
        CHECK(lock.locked());
        CHECK_FALSE(lock.acquire(false));
        CHECK_FALSE(lock.acquire(true, 30ms));
        stage.reach(2);
        CHECK(lock.acquire());
        lock.release();
        CHECK(child.join() == 0);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Lock: another process may release it", "[lock][fork]") {
    mp::Lock lock;
    lock.acquire();
    auto child = family::start([&] {
        lock.release();
        return 0;
    });
    CHECK(lock.acquire(true, 20s));
    lock.release();
    CHECK(child.join() == 0);
}

TEST_CASE("RLock: a forked child does not own what its parent owns", "[rlock][fork]") {
    mp::RLock lock;
    lock.acquire();
    auto child = family::start([&] {
        if (lock.acquire(false)) return 1;
        try {
            lock.release();
        } catch (mp::AssertionError const&) {
            return 0;
        }
        return 2;
    });
    CHECK(child.join() == 0);
    lock.release();
}

TEMPLATE_TEST_CASE("Lock, RLock: one process at a time", "[lock][rlock][fork]",
                   mp::Lock, mp::RLock) {
    struct Counter {
        std::uint64_t n;
    };
    auto const before = family::at_rest();
    {
        TestType lock;
        auto const counter = mp::heap::Tagged<Counter>::make();
        std::vector<family::Child> children;
        for (int c = 0; c < 4; ++c)
            children.push_back(family::start([&] {
                for (int i = 0; i < 20'000; ++i) {
                    std::scoped_lock guard(lock);
                    counter->n = counter->n + 1;
                }
                return 0;
            }));
        for (auto const& child : children) CHECK(child.join() == 0);
        CHECK(counter->n == 80'000);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Lock: travels as a link of a message, and nothing else passes for one", "[lock]") {
    auto const before = family::at_rest();
    {
        auto message = mp::heap::new_message(2, 0);
        {
            mp::Lock lock;
            mp::RLock rlock;
            lock.acquire();
            mp::heap::link(message.header(), 0, lock.shared());
            mp::heap::link(message.header(), 1, rlock.shared());
        }
        auto const object = [&](std::uint32_t i) {
            return mp::heap::Shared::adopt(message.header().link(i).load());
        };
        CHECK(mp::Lock::from(object(0)).locked());
        CHECK_FALSE(mp::RLock::from(object(1)).locked());
        CHECK_THROWS_AS(mp::Lock::from(object(1)), mp::UnpicklingError);
        CHECK_THROWS_AS(mp::RLock::from(object(0)), mp::UnpicklingError);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Lock, RLock: threads-only stress", "[lock][rlock][threads]") {
    mp::Lock lock;
    mp::RLock rlock;
    std::uint64_t plain = 0, deep = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20'000; ++i) {
                if (i % 3 == t % 3) {
                    std::scoped_lock guard(rlock, lock, rlock);
                    ++plain, ++deep;
                } else {
                    if (i % 7 == 0)
                        while (!lock.acquire(true, 1ms)) {}
                    else
                        lock.acquire();
                    ++plain;
                    lock.release();
                    std::scoped_lock guard(rlock);
                    ++deep;
                }
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(plain == 80'000);
    CHECK(deep == 80'000);
}
