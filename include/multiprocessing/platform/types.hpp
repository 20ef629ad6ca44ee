// SPDX-License-Identifier: MIT
// multiprocessing/platform/types.hpp — small value types of several contracts.
// Layer 1 (platform). Mirrors no Python file.
#pragma once

#include <atomic>
#include <cstdint>

namespace multiprocessing::platform {

/// How a sleep on a shared word ended.
enum class Parked { woken, changed, timed_out };

/// A shared word to sleep on, and what it is while there is nothing to wake up for.
struct ParkingWord {
    std::atomic<std::uint32_t>* word;
    std::uint32_t expected;
};

/// A process, told apart from a later one with the same number. `start_time` is opaque: compare it
/// for equality only; 0 means unknown.
struct ProcessIdentity {
    std::int64_t pid = 0;
    std::uint64_t start_time = 0;

    friend bool operator==(ProcessIdentity, ProcessIdentity) = default;
};

/// Whether a process can still act. What cannot be found out counts as alive.
enum class Liveness { alive, dead };

/// Which of the two processes returned from `fork_process`.
enum class ForkSide { parent, child };

/// What `fork_process` returns: `pid` is the child's number, on both sides.
struct ForkResult {
    ForkSide side;
    std::int64_t pid;
};

}  // namespace multiprocessing::platform
