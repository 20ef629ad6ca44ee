// SPDX-License-Identifier: MIT
// multiprocessing/platform/clock.hpp — the clock that all deadlines use.
// Layer 1 (platform). Mirrors `time.monotonic_ns`.
#pragma once

// monotonic_ns   POSIX: CLOCK_MONOTONIC.  Windows: the performance counter.
//                Never goes back, counts from some moment before this process, is the same for
//                every process of the machine and the same as `Deadline::now_ns`.

#include <multiprocessing/platform/detect.hpp>

#include <cstdint>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(clock)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&monotonic_ns), std::uint64_t (*)() noexcept>,
              "platform/<os>/clock.hpp must define: std::uint64_t monotonic_ns() noexcept");

}  // namespace multiprocessing::platform
