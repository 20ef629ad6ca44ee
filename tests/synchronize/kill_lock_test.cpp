// SPDX-License-Identifier: MIT
// tests/synchronize/kill_lock_test.cpp — a process is killed or stopped in the midst of its lock.
#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/synchronize.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <mutex>
#include <optional>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace test::stepper;
using namespace std::chrono_literals;

namespace {

heap::Statistics baseline;
std::optional<mp::Value<long>> shared_value;
std::optional<mp::Lock> shared_lock;
long survivors_added;

void expect_rest(char const* what) {
    auto const now = family::at_rest();
    expect(now.hands == 0 && now.claimed == 0, "an intent is left");
    expect(now.slots == baseline.slots && now.blocks == baseline.blocks, what);
}

void set_up() {
    shared_value.reset();
    shared_lock.reset();
    heap::sweep_dead();
    shared_value.emplace(0L);
    shared_lock.emplace();
    survivors_added = 0;
    baseline = family::at_rest();
}

// Finds out at once what a sweep tells, and every eighth time what only waiting tells.
template <class L>
void acquire_after_victim(L& lock) {
    bool const held = lock.locked();
    if (trial().index % 8 != 0) {
        heap::sweep_dead();
        expect(lock.acquire(false), "the lock is lost");
    } else {
        expect(lock.acquire(true, 5s), "the lock is lost, or was not found in time");
    }
    expect(lock.abandoned() == held, held ? "an abandoned lock does not say so"
                                          : "a lock that was free says that it was abandoned");
}

void check_lock(mp::Lock& lock) {
    acquire_after_victim(lock);
    expect(!lock.acquire(false), "the lock was acquired twice");
    lock.release();
    bool refused = false;
    try {
        lock.release();
    } catch (mp::ValueError const&) {
        refused = true;
    }
    expect(refused && !lock.locked(), "the lock is not free after its release");
    heap::sweep_dead();
    expect_rest("something is left behind");
}

void use_lock() {
    for (int i = 0; i < 20; ++i) {
        if (!shared_lock->acquire(i % 8 == 7, 1ms)) continue;
        expect(!shared_lock->abandoned(), "the lock was taken from a living owner");
        shared_lock->release();
    }
}

}  // namespace

TEST_CASE("Kill: a Lock is acquired and released", "[lock][kill]") {
    Scenario s;
    s.name = "lock";
    s.setup = set_up;
    s.warm_up = s.operation = [] {
        shared_lock->acquire();
        shared_lock->release();
    };
    s.survive = use_lock;
    s.check = [] { check_lock(*shared_lock); };
    verify(run(s, family::stepped()));
}

TEST_CASE("Kill: a Lock is waited for", "[lock][kill]") {
    Scenario s;
    s.name = "contended lock";
    s.setup = [] {
        set_up();
        shared_lock->acquire();
    };
    s.warm_up = [] {
        if (shared_lock->acquire(true, 1ms)) shared_lock->release();
    };
    s.operation = [] {
        shared_lock->acquire();
        shared_lock->release();
    };
    // The runner's hold ends when the victim sleeps, or when it is stopped or dead.
    static bool held;
    auto const let_go = [] {
        if (std::exchange(held, false)) shared_lock->release();
    };
    auto const setup = s.setup;
    s.setup = [setup] {
        setup();
        held = true;
    };
    s.partner = let_go;
    s.survive = [let_go] {
        let_go();
        use_lock();
    };
    s.check = [let_go] {
        let_go();
        check_lock(*shared_lock);
    };
    auto o = family::stepped();
    o.stride = 2;  // the spin repeats itself
    o.budget = 10s;
    verify(run(s, o));
}

TEST_CASE("Kill: a Lock is taken over from a dead owner", "[lock][kill]") {
    Scenario s;
    s.name = "take over";
    static heap::SlotStamp dead;
    s.setup = [] {
        set_up();
        auto const owner = family::start([] {
            shared_lock->acquire();
            return 0;
        });
        mp::platform::wait_process(owner.pid, 5'000'000'000);
        dead = owner.stamp;
    };
    s.operation = s.second_operation = [] {
        if (!shared_lock->acquire(false)) return;
        shared_lock->release();
    };
    s.check = [] {
        if (trial().index % 8 != 0) heap::sweep_dead();
        expect(shared_lock->acquire(true, 5s), "the lock is lost");
        shared_lock->release();
        heap::sweep_dead();
        expect(!heap::is_current(dead), "the dead owner's slot is left");
        auto const now = family::at_rest();
        expect(now.hands == 0 && now.blocks == baseline.blocks, "something is left behind");
    };
    auto o = family::stepped();
    o.modes = {Mode::a_kill, Mode::d_pair};
    o.stride =
        3;  // thousands of instructions, most of them the sweep's, which has tests of its own
    o.max_pairs = 100;
    o.budget = 10s;
    verify(run(s, o));
}

TEST_CASE("Kill: a Value is changed under its lock", "[rlock][kill]") {
    Scenario s;
    s.name = "value += under lock";
    s.setup = set_up;
    s.warm_up = [] { std::scoped_lock guard(shared_value->get_lock()); };
    s.operation = [] {
        std::scoped_lock guard(shared_value->get_lock());
        shared_value->value() += 1;
    };
    s.survive = [] {
        for (int i = 0; i < 20; ++i) {
            if (!shared_value->acquire(i % 8 == 7, 1ms)) continue;
            shared_value->value() += 1;
            ++survivors_added;
            shared_value->release();
        }
    };
    s.check = [] {
        auto& lock = shared_value->get_lock();
        bool const held = lock.locked();
        acquire_after_victim(lock);
        auto const value = shared_value->value() - survivors_added;
        expect(value == 0 || value == 1, "an addition was lost, or done twice");
        expect(value == 1 || !trial().finished, "the victim's addition was lost");
        expect(lock.acquire(false), "the owner could not acquire its lock again");
        lock.release();
        expect(lock.locked() && lock.abandoned() == held, "released too early");
        lock.release();
        expect(!lock.locked(), "the lock is not free after its releases");
        heap::sweep_dead();
        expect_rest("something is left behind");
    };
    verify(run(s, family::stepped()));
}
