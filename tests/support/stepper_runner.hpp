// SPDX-License-Identifier: MIT
// tests/support/stepper_runner.hpp — the child that does the trials, and what it tells its parent.
#pragma once

#include "support/stepper.hpp"
#include "support/stepper_tracee.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace test::stepper {

enum class Phase : std::uint32_t { starting, setup, forking, stepping, survive, going_on, check };

/// The stop points of one undisturbed run, in order; the last one is the end of the operation.
struct Trace {
    StopPoint* points;                 // shared memory, room for max_steps + 1
    std::atomic<std::size_t>* length;  // 0: not recorded yet
    std::span<StopPoint const> span() const { return {points, length->load()}; }
};

/// Shared memory between the test process and its runners. A runner that is killed leaves here
/// where it was, and its successor goes on behind that.
struct Control {
    std::atomic<std::uint64_t> progress;  // any change: the runner gets on
    std::atomic<Phase> phase;
    std::atomic<std::int64_t> victim;  // the one that acts
    std::atomic<std::size_t> lengths[2];

    std::atomic<std::size_t>
        cursor;  // stop points of the first victim that are dealt with, in the plan's order
    std::atomic<std::size_t>
        second_cursor;  // mode d: of the second, plus one, at the same place of the first
    std::atomic<std::size_t> pair_stride;  // mode d: 0 until known
    std::atomic<std::size_t> planned;      // trials in all, as far as known
    std::atomic<std::size_t> trials;
    std::atomic<std::size_t> diverged;
    std::atomic<std::size_t> missed_jumps;

    std::atomic<std::size_t> index;  // of the trial that runs
    std::atomic<std::size_t> second;
    std::atomic<std::uint64_t> rip;     // where the acting victim was stopped
    std::atomic<bool> in_second;        // ... and whether it is the second
    std::array<char, 512> victim_text;  // what the victim threw
    std::array<char, 2048> text;        // why the trial failed
};

/// The order in which one mode visits its stop points: each once, and evenly spread at any time.
class Plan {
public:
    Plan(std::size_t length, std::size_t first, std::size_t last, std::size_t stride,
         std::uint64_t seed);
    std::size_t size() const noexcept { return size_; }
    std::size_t operator[](std::size_t k) const noexcept {
        return offset_ + k * golden_ % size_ * stride_;
    }

private:
    std::size_t offset_;
    std::size_t stride_;
    std::size_t size_;
    std::size_t golden_;
};

class Runner {
public:
    Runner(Scenario const& scenario, Options const& options, Mode mode, std::uint64_t seed,
           std::int64_t deadline_ns, Control& control, std::array<Trace, 2> traces);

    /// Trials until none is left or the time is over. Throws what is wrong with the current one.
    void run();

private:
    void run_singles();
    void run_pairs();
    void record();
    void record_second(std::size_t index);
    void single(std::size_t index, std::size_t further);
    void pair(std::size_t index, std::size_t second);

    void enter(Phase phase) noexcept;
    void call(Phase phase, std::function<void()> const& callback);
    void begin_trial(std::size_t index, std::size_t second);
    std::unique_ptr<Tracee> fork(bool second);
    bool travel(Tracee& victim, bool second, std::size_t index, bool jumps);
    void step_to_end(Tracee& victim, bool second);
    void arrived(Tracee const& victim, bool second);
    void give_up_first(Tracee& victim, First when);

    Scenario const& scenario_;
    Options const& options_;
    Mode mode_;
    std::uint64_t seed_;
    std::int64_t deadline_ns_;
    Control& control_;
    std::array<Trace, 2> traces_;  // of the first and the second victim
    std::array<std::vector<std::uint32_t>, 2> occurrences_;
};

/// Whom keep_alive() and trial() speak of in this process.
void adopt(Control& control) noexcept;

std::int64_t now_ns() noexcept;

}  // namespace test::stepper
