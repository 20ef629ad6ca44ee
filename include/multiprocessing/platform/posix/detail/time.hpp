// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/time.hpp — nanoseconds as the kernel wants them.
// Layer 1 (platform). Helper of platform/posix.
#pragma once

#include <cstdint>

#include <time.h>

namespace multiprocessing::platform::inline posix::detail {

inline timespec to_timespec(std::uint64_t ns) noexcept {
    return {static_cast<time_t>(ns / 1'000'000'000u), static_cast<long>(ns % 1'000'000'000u)};
}

}  // namespace multiprocessing::platform::inline posix::detail
