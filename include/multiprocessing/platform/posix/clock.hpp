// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/clock.hpp — CLOCK_MONOTONIC.
// Layer 1 (platform). Implements platform/clock.hpp.
#pragma once

#include <cstdint>

#include <time.h>

namespace multiprocessing::platform::inline posix {

inline std::uint64_t monotonic_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace multiprocessing::platform::inline posix
