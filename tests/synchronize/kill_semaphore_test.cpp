// SPDX-License-Identifier: MIT
// tests/synchronize/kill_semaphore_test.cpp — a process is killed or stopped in the midst of its
// semaphore or event.
#include <multiprocessing/synchronize.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <optional>
#include <utility>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace test::stepper;
using namespace std::chrono_literals;

namespace {

heap::Statistics baseline;
std::optional<mp::Semaphore> semaphore;
std::optional<mp::Event> event;

void set_up(std::int64_t value, bool undo) {
    semaphore.reset();
    event.reset();
    heap::sweep_dead();
    semaphore.emplace(value, mp::SemaphoreOptions{.undo = undo});
    event.emplace();
    baseline = family::at_rest();
}

void use() {
    for (int i = 0; i < 20; ++i)
        if (semaphore->acquire(i % 8 == 7, 1ms)) semaphore->release();
}

/// All `most` permits but those that a killed victim had and cannot give back are there.
void check(std::int64_t most, bool undo) {
    auto const value = semaphore->get_value();
    expect(value <= most, "a permit came from nowhere");
    if (undo || trial().finished) expect(value == most, "a permit was lost");
    else expect(value >= most - 1, "more than the victim's permit was lost");
    for (auto i = value; i != 0; --i)
        expect(semaphore->acquire(false), "a free permit cannot be had");
    expect(!semaphore->acquire(false), "a permit was had twice");
    for (auto i = value; i != 0; --i) semaphore->release();
    expect(semaphore->get_value() == value, "a permit was lost in the check");
    family::expect_at_rest(baseline);
}

Scenario passing(bool undo) {
    Scenario s;
    s.setup = [undo] { set_up(2, undo); };
    s.warm_up = s.operation = [] {
        semaphore->acquire();
        semaphore->release();
    };
    s.survive = use;
    s.check = [undo] { check(2, undo); };
    return s;
}

/// The runner has the only permit, until the victim sleeps, or is stopped or dead.
Scenario waiting(bool undo) {
    static bool held;
    auto const let_go = [] {
        if (std::exchange(held, false)) semaphore->release();
    };
    Scenario s;
    s.setup = [undo] {
        set_up(1, undo);
        semaphore->acquire();
        held = true;
    };
    s.warm_up = [] { semaphore->acquire(true, 1ms); };  // in vain: after that it does not spin
    s.operation = [] {
        semaphore->acquire();
        semaphore->release();
    };
    s.partner = let_go;
    s.survive = [let_go] {
        let_go();
        use();
    };
    s.check = [let_go, undo] {
        let_go();
        check(1, undo);
    };
    return s;
}

}  // namespace

TEST_CASE("Kill: a Semaphore is acquired and released", "[semaphore][kill]") {
    auto s = passing(false);
    s.name = "semaphore";
    verify(run(s, family::stepped()));
}

TEST_CASE("Kill: a Semaphore with undo is acquired and released", "[semaphore][kill]") {
    auto s = passing(true);
    s.name = "semaphore with undo";
    auto o = family::stepped();
    o.budget = 10s;
    verify(run(s, o));
}

TEST_CASE("Kill: a Semaphore is waited for", "[semaphore][kill]") {
    auto s = waiting(false);
    s.name = "contended semaphore";
    verify(run(s, family::stepped()));
}

TEST_CASE("Kill: a Semaphore with undo is waited for", "[semaphore][kill]") {
    auto s = waiting(true);
    s.name = "contended semaphore with undo";
    auto o = family::stepped();
    o.stride = 7;  // most of it asks the system about the holder
    o.budget = 8s;
    verify(run(s, o));
}

TEST_CASE("Kill: a dead process's permit is taken back", "[semaphore][kill]") {
    Scenario s;
    s.name = "take back";
    s.setup = [] {
        set_up(1, true);
        auto const holder = family::start([] {
            semaphore->acquire();
            return 0;
        });
        mp::platform::wait_process(holder.pid, 5'000'000'000);
    };
    s.operation = s.second_operation = [] {
        if (semaphore->acquire(false)) semaphore->release();
    };
    s.check = [] { check(1, true); };
    auto o = family::stepped();
    o.modes = {Mode::a_kill, Mode::d_pair};
    o.stride = 7;  // most of it asks the system about the dead process
    o.max_pairs = 50;
    o.budget = 10s;
    verify(run(s, o));
}

TEST_CASE("Kill: an Event is set while another process waits", "[event][kill]") {
    Scenario s;
    s.name = "Event.set";
    static std::optional<family::Child> sleeper;
    s.setup = [] {
        set_up(0, false);
        sleeper = family::start([] {
            semaphore->release();
            return event->wait() ? 0 : 1;
        });
        expect(semaphore->acquire(true, 5s), "the sleeper did not start");
    };
    s.warm_up = [] { event->is_set(); };
    s.operation = [] {
        event->set();
        event->clear();
        event->set();
    };
    s.survive = [] {
        event->is_set();
        event->wait(0s);
    };
    s.check = [] {
        if (trial().finished) expect(event->is_set(), "a set was lost");
        if (!event->is_set()) event->set();
        expect(sleeper->join() == 0, "the sleeper was not woken");
        expect(event->wait(0s), "wait does not see the flag");
        event->clear();
        expect(!event->wait(0s) && !event->is_set(), "the flag was not cleared");
        family::expect_at_rest(baseline);
    };
    auto o = family::stepped();
    o.budget = 8s;
    verify(run(s, o));
}

TEST_CASE("Kill: an Event is waited for", "[event][kill]") {
    Scenario s;
    s.name = "Event.wait";
    s.setup = [] { set_up(0, false); };
    s.warm_up = [] { event->wait(1ms); };
    s.operation = [] { event->wait(); };
    s.partner = s.survive = [] { event->set(); };
    s.check = [] {
        event->set();
        expect(event->wait(0s), "wait does not see the flag");
        event->clear();
        expect(!event->wait(1ms), "the flag was not cleared");
        family::expect_at_rest(baseline);
    };
    verify(run(s, family::stepped()));
}
