// SPDX-License-Identifier: MIT
// multiprocessing/detail/wait_until.hpp — waiting between threads, until a deadline.
// Layer 0 (base). Mirrors no Python file.
#pragma once

#include <multiprocessing/timeout.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace multiprocessing::detail {

/// Waits until the condition holds (true) or the time is over. `guard` holds the mutex.
template <class Holds>
bool wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& guard,
                Deadline deadline, Holds holds) {
    while (!holds()) {
        if (deadline.is_never()) {
            changed.wait(guard);
            continue;
        }
        // An hour at a time keeps the clock from overflowing.
        auto const left = deadline.remaining_ns(3'600'000'000'000);
        if (left == 0) return false;
        changed.wait_for(guard, std::chrono::nanoseconds(left));
    }
    return true;
}

}  // namespace multiprocessing::detail
