// SPDX-License-Identifier: MIT
// tests/support/killed.hpp — how a process that was killed is seen, on each system.
#pragma once

#include <multiprocessing/platform/process.hpp>

#include <csignal>

namespace test {

/// What kill() reads as: SIGKILL, or SIGTERM where the system has one way only to end a process.
inline constexpr int kill_signal = multiprocessing::platform::has_fork ? 9 : SIGTERM;

/// As if somebody had killed this process.
[[noreturn]] inline void die() {
    multiprocessing::platform::kill_process(multiprocessing::platform::process_id());
    for (;;) {}
}

}  // namespace test
