// SPDX-License-Identifier: MIT
#include <multiprocessing/synchronize/condition.hpp>

#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/crew.hpp"
#include "synchronize/stage.hpp"

#include <mutex>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

void wait_once(mp::Condition cond, mp::Semaphore sleeping, mp::Semaphore woken,
               std::optional<std::chrono::milliseconds> timeout) {
    std::scoped_lock guard(cond);
    sleeping.release();
    cond.wait(timeout);
    woken.release();
}

std::string waiters(mp::Condition const& cond, int n) {
    return fmt::format("<Condition({}, {})>", "<RLock(None, 0)>", n) == cond.repr()
               ? ""
               : cond.repr();
}

/// They sleep once the lock can be had, because they gave it back by waiting.
void await_sleepers(mp::Condition const& cond, mp::Semaphore const& sleeping, int n) {
    for (int i = 0; i < n; ++i) REQUIRE(sleeping.acquire(true, 20s));
    std::scoped_lock guard(cond);
}

void await_woken(mp::Semaphore const& woken, int n) {
    for (int i = 0; i < n; ++i) REQUIRE(woken.acquire(true, 20s));
    CHECK_FALSE(woken.acquire(true, 30ms));
}

void notify(mp::Condition const& cond, std::int64_t n) {
    std::scoped_lock guard(cond);
    cond.notify(n);
}

}  // namespace

// CPython: _TestCondition.test_notify
TEST_CASE("Condition: notify wakes one at a time", "[condition][threads]") {
    auto crew = test::each_crew();
    mp::Condition cond;
    mp::Semaphore sleeping(0), woken(0);
    crew.start(2, wait_once, cond, sleeping, woken, std::nullopt);
    await_sleepers(cond, sleeping, 2);
    await_woken(woken, 0);
    CHECK(waiters(cond, 2) == "");
    notify(cond, 1);
    await_woken(woken, 1);
    CHECK(waiters(cond, 1) == "");
    notify(cond, 1);
    await_woken(woken, 1);
    CHECK(crew.join() == 0);
    CHECK(waiters(cond, 0) == "");
}

// CPython: _TestCondition.test_notify_all
TEST_CASE("Condition: notify_all wakes all; time-outs leave nothing", "[condition][threads]") {
    auto crew = test::each_crew();
    mp::Condition cond;
    mp::Semaphore sleeping(0), woken(0);
    crew.start(6, wait_once, cond, sleeping, woken, std::optional(30ms));
    await_sleepers(cond, sleeping, 6);
    await_woken(woken, 6);
    CHECK(waiters(cond, 0) == "");
    crew.start(6, wait_once, cond, sleeping, woken, std::nullopt);
    await_sleepers(cond, sleeping, 6);
    await_woken(woken, 0);
    {
        std::scoped_lock guard(cond);
        cond.notify_all();
    }
    await_woken(woken, 6);
    CHECK(crew.join() == 0);
    CHECK(waiters(cond, 0) == "");
}

// CPython: _TestCondition.test_notify_n
TEST_CASE("Condition: notify(n) wakes n, or as many as there are", "[condition][threads]") {
    auto crew = test::each_crew();
    mp::Condition cond;
    mp::Semaphore sleeping(0), woken(0);
    crew.start(6, wait_once, cond, sleeping, woken, std::nullopt);
    await_sleepers(cond, sleeping, 6);
    notify(cond, 0);
    notify(cond, -1);
    await_woken(woken, 0);
    notify(cond, 2);
    await_woken(woken, 2);
    notify(cond, 4);
    await_woken(woken, 4);
    notify(cond, 3);
    await_woken(woken, 0);
    CHECK(crew.join() == 0);
    CHECK(waiters(cond, 0) == "");
}

// CPython: _TestCondition.test_timeout, test_wait_result (without SIGINT, which throws nothing in
// C++)
TEST_CASE("Condition: wait says whether it was notified", "[condition][threads]") {
    auto crew = test::each_crew();
    mp::Condition cond;
    std::scoped_lock guard(cond);
    CHECK_FALSE(cond.wait(0s));
    auto const begin = std::chrono::steady_clock::now();
    CHECK_FALSE(cond.wait(50ms));
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
    crew.start_one(notify, cond, std::int64_t{1});
    CHECK(cond.wait(20s));
    CHECK(crew.join() == 0);
}

namespace {

void await_four(mp::Condition cond, mp::Value<int> state) {
    std::scoped_lock guard(cond);
    state.value() = 0;
    cond.notify();
    if (!cond.wait_for([&] { return state.value() == 4; }) || state.value() != 4)
        throw std::runtime_error("wait_for returned too early");
}

void await_four_in_vain(mp::Condition cond, mp::Value<int> state, mp::Semaphore ready) {
    ready.release();
    std::scoped_lock guard(cond);
    auto const begin = std::chrono::steady_clock::now();
    if (cond.wait_for([&] { return state.value() == 4; }, 100ms))
        throw std::runtime_error("wait_for found what is not so");
    if (std::chrono::steady_clock::now() - begin < 100ms)
        throw std::runtime_error("wait_for did not wait long enough");
}

}  // namespace

// CPython: _TestCondition.test_waitfor
TEST_CASE("Condition: wait_for returns when the predicate holds", "[condition][threads]") {
    auto crew = test::each_crew();
    mp::Condition cond;
    mp::Value<int> state(-1);
    crew.start_one(await_four, cond, state);
    {
        std::scoped_lock guard(cond);
        CHECK(cond.wait_for([&] { return state.value() == 0; }));
        CHECK(state.value() == 0);
    }
    for (int i = 0; i < 4; ++i) {
        std::scoped_lock guard(cond);
        state.value() += 1;
        cond.notify();
    }
    CHECK(crew.join() == 0);
}

// CPython: _TestCondition.test_waitfor_timeout
TEST_CASE("Condition: wait_for has one time-out for all its waits", "[condition][threads]") {
    auto crew = test::each_crew();
    mp::Condition cond;
    mp::Value<int> state(0);
    mp::Semaphore ready(0);
    crew.start_one(await_four_in_vain, cond, state, ready);
    REQUIRE(ready.acquire(true, 20s));
    for (int i = 0; i < 3; ++i) {
        std::scoped_lock guard(cond);
        state.value() += 1;
        cond.notify();
    }
    CHECK(crew.join() == 0);
}

TEST_CASE("Condition: who does not own the lock is refused", "[condition][threads]") {
    auto const cond = GENERATE(0, 1) == 0 ? mp::Condition() : mp::Condition(mp::Lock());
    CHECK_THROWS_AS(cond.wait(), mp::AssertionError);
    CHECK_THROWS_WITH(cond.wait(0s), "must acquire() condition before using wait()");
    CHECK_THROWS_AS(cond.notify(), mp::AssertionError);
    CHECK_THROWS_WITH(cond.notify_all(), "lock is not owned");
    cond.acquire();
    std::thread([&] { CHECK_THROWS_AS(cond.notify(), mp::AssertionError); }).join();
    cond.notify();
    CHECK(cond.locked());
    cond.release();
    CHECK_FALSE(cond.locked());
}

TEST_CASE("Condition: wait gives back all levels of the lock and takes them again",
          "[condition][threads]") {
    auto crew = test::each_crew();
    mp::RLock lock;
    mp::Condition cond(lock);
    for (int i = 0; i < 3; ++i) cond.acquire();
    crew.start_one(notify, cond, std::int64_t{1});
    CHECK(cond.wait(20s));
    CHECK(lock.repr() == "<RLock(MainProcess, 3)>");
    CHECK_FALSE(cond.wait(1ms));
    CHECK(cond.repr() == "<Condition(<RLock(MainProcess, 3)>, 0)>");
    for (int i = 0; i < 3; ++i) lock.release();
    CHECK_FALSE(lock.locked());
    CHECK(crew.join() == 0);
    CHECK(mp::Condition(mp::Lock()).repr() == "<Condition(<Lock(owner=None)>, 0)>");
}

TEST_CASE("Condition: the longest waiting is notified first", "[condition][threads]") {
    mp::Condition cond;
    std::vector<int> order;
    std::vector<std::thread> threads;
    mp::Semaphore sleeping(0);
    for (int i = 0; i < 20; ++i) {
        threads.emplace_back([&, i] {
            std::scoped_lock guard(cond);
            sleeping.release();
            cond.wait();
            order.push_back(i);
        });
        await_sleepers(cond, sleeping, 1);
    }
    for (std::size_t i = 0; i < threads.size(); ++i) {
        notify(cond, 1);
        threads[i].join();
    }
    REQUIRE(order.size() == 20);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

namespace {

/// A buffer of one place, filled and emptied under the condition.
void fill(mp::Condition cond, mp::Array<int> buffer, int n) {
    for (int i = 0; i < n; ++i) {
        std::scoped_lock guard(cond);
        cond.wait_for([&] { return buffer[0] == 0; });
        buffer[0] = 1;
        cond.notify_all();
    }
}
void empty(mp::Condition cond, mp::Array<int> buffer, int n) {
    for (int i = 0; i < n; ++i) {
        std::scoped_lock guard(cond);
        while (buffer[0] == 0) cond.wait(i % 7 == 0 ? mp::Timeout(1ms) : mp::Timeout());
        buffer[0] = 0;
        ++buffer[1];
        cond.notify_all();
    }
}

}  // namespace

TEST_CASE("Condition: producers and consumers", "[condition][threads]") {
    auto crew = test::each_crew();
    auto const cond = GENERATE(0, 1) == 0 ? mp::Condition() : mp::Condition(mp::Lock());
    mp::Array<int> buffer(2);
    crew.start(2, fill, cond, buffer, 500);
    crew.start(2, empty, cond, buffer, 500);
    CHECK(crew.join() == 0);
    CHECK(buffer[1] == 1000);
}

TEST_CASE("Condition: more waiters than it has room for at first", "[condition][threads]") {
    auto const before = family::at_rest();
    {
        mp::Condition cond;
        mp::Semaphore sleeping(0), woken(0);
        std::vector<std::thread> threads;
        for (int i = 0; i < 100; ++i)
            threads.emplace_back([&] { wait_once(cond, sleeping, woken, std::nullopt); });
        await_sleepers(cond, sleeping, 100);
        notify(cond, 60);
        await_woken(woken, 60);
        notify(cond, 60);
        await_woken(woken, 40);
        for (auto& thread : threads) thread.join();
        CHECK(waiters(cond, 0) == "");
    }
    auto after = family::at_rest();
    after.records = before.records;  // of threads that have just ended
    CHECK(after == before);
}

TEST_CASE("Condition: a notification to one who was killed passes to another",
          "[condition][fork]") {
    auto const before = family::at_rest();
    {
        mp::Condition cond;
        test::Stage stage;
        std::vector<family::Child> children;
        for (int i = 0; i < 4; ++i) {
            children.push_back(family::start([&] {
                std::scoped_lock guard(cond);
                stage.add();
                return cond.wait() ? 0 : 1;
            }));
            stage.await(static_cast<std::uint64_t>(i) + 1);
            std::scoped_lock guard(cond);
        }
        SECTION("not swept") {
            mp::platform::kill_process(children[0].pid);
            mp::platform::kill_process(children[1].pid);
            notify(cond, 2);
            CHECK(children[2].join() == 0);
            CHECK(children[3].join() == 0);
            CHECK(children[0].join() != 0);
            CHECK(children[1].join() != 0);
        }
        SECTION("swept") {
            children[0].kill();
            children[1].kill();
            notify(cond, 2);
            CHECK(children[2].join() == 0);
            CHECK(children[3].join() == 0);
        }
        SECTION("notified and then killed, before it has the lock") {
            {
                std::scoped_lock guard(cond);
                cond.notify(2);
                children[0].kill();
                children[1].kill();
            }
            CHECK(children[2].join() == 0);
            CHECK(children[3].join() == 0);
        }
        SECTION("not to one who came later") {
            std::optional<family::Child> late;
            {
                std::scoped_lock guard(cond);
                cond.notify_all();
                for (auto const& child : children) child.kill();
            }
            late = family::start([&] {
                std::scoped_lock guard(cond);
                return cond.wait(100ms) ? 1 : 0;
            });
            CHECK(late->join() == 0);
        }
        CHECK(waiters(cond, 0) == "");
        std::scoped_lock guard(cond);
        CHECK_FALSE(cond.wait(1ms));
    }
    CHECK(family::at_rest() == before);
}
