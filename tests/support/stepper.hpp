// SPDX-License-Identifier: MIT
// tests/support/stepper.hpp — kills or stops a process after every instruction of an operation.
//
// One trial: `setup` makes fresh shared state; a victim is forked, does `warm_up`, and is
// single-stepped (ptrace) through `operation` up to stop point i. There the mode decides what
// becomes of it, and the survivors `check`. Then the next trial takes another i, until every stop
// point had its turn.
//
// All callbacks but the victim's run in a *runner*, a child of the test process, so whatever hangs
// or crashes is reported with its instruction and never takes the test program along. A stop point
// is: before each instruction; within a REP instruction after its first and its second round; and
// asleep in a system call that blocks. Linux on x86-64 only; elsewhere, under a sanitizer and where
// ptrace is refused, Report::skipped says why.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace test::stepper {

enum class Mode {
    a_kill,             // killed at i; check
    b_stop_then_kill,   // stopped at i; survive; killed; check
    c_stop_then_go_on,  // stopped at i; survive; goes on to the end and exits; check
    d_pair,  // killed at i; a second victim does `second_operation` and is killed at j; check
    e_stop_go_on_kill  // stopped at i; survive; goes on for some instructions; killed; check
};

std::string_view to_string(Mode mode) noexcept;

struct Scenario {
    std::string name = {};
    std::function<void()> setup = {};  // runner: fresh MAP_SHARED state for one trial
    std::function<void()> warm_up =
        {};  // victim: touches pages, binds symbols, does the operation once. Not stepped
    std::function<void()> operation = {};  // victim: stepped
    std::function<void()> survive =
        {};  // runner: the victim is stopped at i; must not need it (modes b, c, e)
    std::function<void()> check = {};  // runner: throws what is wrong, see expect()
    std::function<void()> partner =
        {};  // runner: called once, when the victim first sleeps in a system call; must not block
    std::function<void()> second_warm_up =
        {};  // second victim: before the first one's operation begins (mode d)
    std::function<void()> second_operation =
        {};  // second victim: stepped after the first was killed (mode d)
};

/// How the processes of a trial come and go, for a library that must know of each fork.
struct Hooks {
    std::function<std::int64_t()> fork_runner = {};   // default ::fork
    std::function<void()> after_fork_in_runner = {};  // default nothing
    std::function<std::int64_t()> fork_victim = {};   // default ::fork
    std::function<void()> leave_victim =
        {};  // default _exit(0): the end of a victim that was let go (mode c)
    std::function<void()> leave_runner = {};  // default _exit(0)
};

/// What becomes of the first victim of a pair while the second one runs.
enum class First { dies, stays_stopped, goes_on_afterwards };

struct Options {
    std::vector<Mode> modes = {Mode::a_kill, Mode::b_stop_then_kill, Mode::c_stop_then_go_on};
    std::size_t stride = 1;  // every stride-th stop point, from a random offset
    std::size_t first = 0;   // stop points [first, last]
    std::size_t last = SIZE_MAX;
    std::chrono::milliseconds budget{
        15'000};  // per mode; stop points that it leaves out are spread evenly
    std::chrono::milliseconds hang{10'000};  // a callback or a victim that takes longer hangs
    std::size_t max_steps = 1'000'000;       // a longer operation is refused
    std::size_t max_failures = 8;            // per mode, then the mode ends
    std::vector<std::size_t> further = {1, 3, 9, 27, 81};  // mode e: how many instructions
    std::size_t max_pairs = 4'000;           // mode d: strides i and j so as not to exceed it
    First first_victim = First::dies;        // mode d
    bool leave_zombie = false;               // check sees a killed victim that nobody has reaped
    bool pin = true;         // one CPU for runner and victim, and priority if allowed
    std::uint64_t seed = 0;  // of the offsets; 0: from the clock
    Hooks hooks = {};
};

struct Failure {
    Mode mode;
    std::size_t index;   // stop point of the first victim
    std::size_t second;  // of the second (mode d), SIZE_MAX: it was not disturbed; or how far the
                         // first went on (mode e)
    std::string where;   // symbol of the instruction that was about to run
    std::string what;
};

struct ModeReport {
    Mode mode;
    std::size_t stop_points = 0;
    std::size_t trials = 0;
    std::size_t left_out = 0;  // for want of time, or after too many failures
    std::size_t diverged =
        0;  // stopped at an instruction other than the recorded one: still a trial
    double seconds = 0;
};

struct Report {
    std::string name;
    std::string skipped;  // why nothing was run
    std::vector<ModeReport> modes;
    std::vector<Failure> failures;

    bool ok() const { return failures.empty(); }
    std::string text() const;  // a line per failure
};

/// Runs all modes, printing a line for each. Blocks until no process that it started is left.
Report run(Scenario const& scenario, Options const& options = {});

/// Fails the running Catch2 test case for each failure; a skipped run, or one cut short, warns
/// loudly.
void verify(Report const& report);

/// What the callbacks in the runner may ask about the trial they are in.
struct Trial {
    bool undisturbed = false;  // the recording trial: the victim ran from begin to end
    Mode mode = Mode::a_kill;
    std::size_t index = 0;
    std::size_t second = 0;
    bool finished = false;         // the (first) victim's operation has returned
    bool second_finished = false;  // the second one's
    bool partner_ran = false;
};

Trial const& trial() noexcept;

/// Throws `what` unless `condition` holds: the assertion for callbacks, which run outside the test
/// process.
void expect(bool condition, std::string_view what);

/// Tells the watchdog that a long callback gets on.
void keep_alive() noexcept;

}  // namespace test::stepper
