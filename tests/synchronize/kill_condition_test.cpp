// SPDX-License-Identifier: MIT
// tests/synchronize/kill_condition_test.cpp — a process is killed or stopped in the midst of wait
// or notify.
#include <multiprocessing/synchronize.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"
#include "synchronize/stage.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace test::stepper;
using namespace std::chrono_literals;

namespace {

heap::Statistics baseline;
std::optional<mp::Condition> cond;
std::optional<test::Stage> stage;
std::vector<family::Child> waiters;

/// One more who waits, once `step` is reached; it adds 100 when it is about to.
void start_waiter(std::uint64_t step) {
    waiters.push_back(family::start([step] {
        stage->await(step);
        std::scoped_lock guard(*cond);
        stage->add(100);
        return cond->wait() ? 0 : 1;
    }));
}
/// It waits once the lock can be had.
void await_waiters(std::uint64_t step) {
    stage->await(step);
    std::scoped_lock guard(*cond);
}

void set_up() {
    for (auto const& waiter : std::exchange(waiters, {})) waiter.kill();
    cond.reset();
    stage.reset();
    heap::sweep_dead();
    cond.emplace();
    stage.emplace();
    baseline = family::at_rest();
}

void notify(std::int64_t n) {
    if (!cond->acquire(true, 5s)) throw std::runtime_error("the lock is lost");
    cond->notify(n);
    cond->release();
}

void join_waiters() {
    for (auto const& waiter : waiters) expect(waiter.join() == 0, "a waiter was not notified");
    waiters.clear();
}

void check_rest() {
    std::scoped_lock guard(*cond);
    expect(cond->repr().ends_with(", 0)>"), "somebody still waits");
    cond->notify_all();
    expect(!cond->wait(0s), "a notification is left");
}

/// The notification of a victim that did not take it reaches one who came after it.
void check_next_waiter() {
    if (trial().index % 2 != 0) heap::sweep_dead();
    auto const next = stage->now() + 100;
    start_waiter(0);
    await_waiters(next);
    notify(1);
    join_waiters();
    check_rest();
    family::expect_at_rest(baseline);
}

void use() {
    for (int i = 0; i < 5; ++i) {
        if (!cond->acquire(i % 4 == 3, 1ms)) continue;
        cond->notify();
        cond->release();
    }
}

}  // namespace

TEST_CASE("Kill: a Condition is waited at", "[condition][kill]") {
    Scenario s;
    s.name = "Condition.wait";
    s.setup = set_up;
    s.warm_up = [] {
        std::scoped_lock guard(*cond);
        cond->wait(1ms);
    };
    s.operation = [] {
        std::scoped_lock guard(*cond);
        cond->acquire();
        cond->wait();
        cond->release();
    };
    s.partner = [] {
        if (!cond->acquire(true, 1s)) return;
        cond->notify_all();
        cond->release();
    };
    s.survive = use;
    s.check = check_next_waiter;
    auto o = family::stepped();
    o.budget = 12s;
    verify(run(s, o));
}

TEST_CASE("Kill: a Condition is waited at with a time-out", "[condition][kill]") {
    Scenario s;
    s.name = "Condition.wait(timeout)";
    s.setup = set_up;
    s.warm_up = s.operation = [] {
        std::scoped_lock guard(*cond);
        cond->wait(100us);
    };
    s.survive = use;
    s.check = check_next_waiter;
    auto o = family::stepped();
    o.budget = 8s;
    verify(run(s, o));
}

TEST_CASE("Kill: two who wait are notified", "[condition][kill]") {
    Scenario s;
    s.name = "Condition.notify";
    s.setup = [] {
        set_up();
        start_waiter(0);
        start_waiter(0);
        await_waiters(200);
    };
    s.warm_up = [] {
        std::scoped_lock guard(*cond);
        cond->notify(0);
        cond->repr();
    };
    s.operation = [] {
        std::scoped_lock guard(*cond);
        cond->notify();
        cond->notify_all();
    };
    s.survive = use;
    s.check = [] {
        if (!trial().finished) notify(2);
        join_waiters();
        check_next_waiter();
    };
    auto o = family::stepped();
    o.budget = 12s;
    verify(run(s, o));
}

namespace {

/// Just the waiters, without a lock: this process alone calls what asks for it.
struct Body {
    mp::detail::Waiters waiters;
};
using Waiters = heap::Tagged<Body>;
std::optional<Waiters> bare;
std::vector<mp::detail::Waiters::Cell*> cells;

void set_up_bare() {
    bare.reset();
    heap::sweep_dead();
    bare = Waiters::make(mp::detail::Waiters::links, 0, [](heap::Header&, Body&) {});
    cells.clear();
    baseline = family::at_rest();
}
void enter() { cells.push_back(&(*bare)->waiters.enter(bare->shared().header())); }
bool wait(std::size_t i, mp::Timeout timeout) {
    return (*bare)->waiters.wait(bare->shared().header(), *cells[i], mp::Deadline(timeout));
}

}  // namespace

TEST_CASE("Kill: room for more waiters is made", "[condition][kill]") {
    Scenario s;
    s.name = "more waiters";
    s.setup = [] {
        set_up_bare();
        for (int i = 0; i < 8; ++i) enter();
    };
    s.warm_up = [] { mp::Lock(); };
    s.operation = [] { enter(); };
    s.check = [] {
        heap::sweep_dead();
        auto const mine = cells.size();
        for (std::size_t i = mine; i < 30; ++i) enter();
        std::vector sorted(cells);
        std::ranges::sort(sorted);
        expect(std::ranges::adjacent_find(sorted) == sorted.end(), "two have the same cell");
        (*bare)->waiters.notify_all(bare->shared().header());
        for (std::size_t i = 0; i < cells.size(); ++i) {
            expect(wait(i, 0s), "a waiter was not notified");
            (*bare)->waiters.leave(*cells[i]);
        }
        bare.reset();
        baseline.blocks -= 1;
        baseline.bytes = family::at_rest().bytes;
        family::expect_at_rest(baseline);
    };
    auto o = family::stepped();
    o.modes = {Mode::a_kill};
    o.stride = 7;  // most of it is the allocator's, which has tests of its own
    o.budget = 10s;
    verify(run(s, o));
}

TEST_CASE("Kill: a notification is passed on from the dead", "[condition][kill]") {
    Scenario s;
    s.name = "pass on";
    s.setup = [] {
        set_up_bare();
        auto const dead = family::start([] {
            enter();
            return 0;
        });
        mp::platform::wait_process(dead.pid, 5'000'000'000);
        enter();
        (*bare)->waiters.notify(bare->shared().header(), 1);  // reaches the dead one
    };
    s.operation = s.second_operation = [] {
        enter();
        wait(1, 0s);
    };
    s.check = [] {
        expect(wait(0, 5s), "the notification was lost");
        (*bare)->waiters.leave(*cells[0]);
        heap::sweep_dead();
        enter();
        expect(!wait(cells.size() - 1, 0s), "the notification was passed on twice");
    };
    auto o = family::stepped();
    o.modes = {Mode::a_kill, Mode::d_pair};
    o.max_pairs = 50;
    o.stride = 7;  // most of it asks the system about the dead process
    o.budget = 10s;
    verify(run(s, o));
}
