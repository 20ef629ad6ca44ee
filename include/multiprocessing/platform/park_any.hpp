// SPDX-License-Identifier: MIT
// multiprocessing/platform/park_any.hpp — to sleep on several shared words at once.
// Layer 1 (platform). Mirrors nothing; `wait` of Lib/multiprocessing/connection.py has handles.
#pragma once

// park_any(words, timeout)   sleeps while each word still is what is expected of it. Returns when
//      one was not, when an unpark of platform/parking.hpp met one of them, when the time passed
//      (relative, in nanoseconds, UINT64_MAX is for ever), or for no reason at all: the caller
//      looks at what it waits for.
//                   POSIX: futex_waitv, for up to 128 words; elsewhere short naps.
//                   Windows: the event of the thread, which waits in several places.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/types.hpp>

#include <cstdint>
#include <span>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(park_any)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&park_any),
                             void (*)(std::span<ParkingWord const>, std::uint64_t) noexcept>,
              "platform/<os>/park_any.hpp must define park_any");

}  // namespace multiprocessing::platform
