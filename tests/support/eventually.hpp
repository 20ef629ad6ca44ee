// SPDX-License-Identifier: MIT
// tests/support/eventually.hpp — waits for what must become true, and not for ever.
#pragma once

#include <multiprocessing/platform/clock.hpp>

#include <cstdint>
#include <thread>

namespace test {

inline constexpr std::uint64_t patience_ns = 20'000'000'000;

/// Asks again until the answer is yes; false once patience ends.
template <class F>
bool eventually(F&& answer) {
    std::uint64_t const start = multiprocessing::platform::monotonic_ns();
    while (!answer()) {
        if (multiprocessing::platform::monotonic_ns() - start > patience_ns) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

}  // namespace test
