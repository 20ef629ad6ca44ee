// SPDX-License-Identifier: MIT
// tests/support/stepper_tracee.hpp — a forked child that is single-stepped through one operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace test::stepper {

/// Where a victim is: before an instruction, between the rounds of a REP, or asleep in a system
/// call.
enum class At : std::uint64_t { instruction, repeating, asleep, end };

class StopPoint {  // one word, so that a trace lies in shared memory
public:
    StopPoint() = default;
    StopPoint(At at, std::uint64_t rip) noexcept
        : bits_(static_cast<std::uint64_t>(at) << 62 | rip) {}
    At at() const noexcept { return static_cast<At>(bits_ >> 62); }
    std::uint64_t rip() const noexcept { return bits_ & ~(std::uint64_t{3} << 62); }
    bool operator==(StopPoint const&) const = default;

private:
    std::uint64_t bits_ = 0;
};

/// What the victim runs. `text` (shared memory, 512 bytes) receives what it threw.
struct Part {
    std::function<std::int64_t()> const* fork;
    std::function<void()> const* warm_up;
    std::function<void()> const* operation;
    std::function<void()> const* leave;
    char* text;
};

class Tracee {
public:
    /// Forks, and returns when the child is about to begin its operation. `on_asleep` is called
    /// once, when the victim is found asleep in a system call and is to be brought further.
    Tracee(Part const& part, std::function<void()> on_asleep);
    Tracee(Tracee const&) = delete;
    Tracee& operator=(Tracee const&) = delete;
    ~Tracee();

    std::int64_t pid() const noexcept { return pid_; }
    StopPoint here() const noexcept { return here_; }
    bool finished() const noexcept { return here_.at() == At::end; }

    /// To the next stop point. A victim that has finished stays where it is.
    void advance();

    /// To the `hits`-th time from now that it is about to run the instruction at `rip`, at full
    /// speed. False: it came to its end before, or the system has no hardware breakpoints.
    bool jump(std::uint64_t rip, std::size_t hits);

    /// On to the end of the operation, and out. Reaps it.
    void go_on();

    /// Kills it, and returns when it is dead. It stays a zombie unless reaped.
    void kill(bool reap);

private:
    enum class Stop { step, breakpoint, mark, asleep };
    enum class Class : std::uint8_t { plain, repeat, system_call };

    void resume(int request);
    Stop wait(bool watch_sleep);
    Stop wait_to_end_of_sleep();
    Stop understand(int status);
    bool set_breakpoint(std::uint64_t address);
    void arrive(bool same_instruction_repeats);
    Class class_of(std::uint64_t rip);
    void run_partner();
    [[noreturn]] void fail(std::string const& what);

    std::int64_t pid_ = 0;
    bool alive_ = false;  // not known to be dead
    bool reaped_ = false;
    bool asleep_ = false;  // resumed, and asleep in a system call: not in a ptrace stop
    int request_ = 0;      // the last resumption, to repeat it with a signal
    unsigned rounds_ = 0;  // of the REP instruction that it is in
    StopPoint here_;
    std::function<void()> on_asleep_;
    char const* text_;
    std::unordered_map<std::uint64_t, Class> classes_;
};

/// Why nothing can be stepped here: ptrace is refused, or a sanitizer is built in. Empty if it can.
std::string refusal();

struct Trouble : std::runtime_error {  // something the victim must not do: crash, throw, end
    using std::runtime_error::runtime_error;
};

}  // namespace test::stepper
