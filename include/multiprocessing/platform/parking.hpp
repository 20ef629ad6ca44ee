// SPDX-License-Identifier: MIT
// multiprocessing/platform/parking.hpp — to sleep on a shared 32-bit word.
// Layer 1 (platform). Mirrors nothing; CPython uses sem_t.
#pragma once

// park(word, expected, timeout)   sleeps while the word still is `expected` when the kernel looks.
//      changed     it was not, so the thread did not sleep;
//      timed_out   the time passed (relative, in nanoseconds; UINT64_MAX is for ever);
//      woken       an unpark, or for no reason at all: the caller looks at the word again.
//                  POSIX: FUTEX_WAIT on shared memory, so the word may lie in any mapping that the
//                  processes share, at whatever address.
//                  Windows: an auto-reset event per waiting thread.
// unpark_one, unpark_all          wake sleepers and return how many. The caller changes the word
//                  first. A system call: do not call it when nobody sleeps.
//                  POSIX: FUTEX_WAKE.  Windows: SetEvent.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/types.hpp>

#include <atomic>
#include <cstdint>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(parking)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&park), Parked (*)(std::atomic<std::uint32_t>&, std::uint32_t,
                                                         std::uint64_t) noexcept>,
              "platform/<os>/parking.hpp must define park");
static_assert(
    std::is_same_v<decltype(&unpark_one), int (*)(std::atomic<std::uint32_t>&) noexcept> &&
        std::is_same_v<decltype(&unpark_all), int (*)(std::atomic<std::uint32_t>&) noexcept>,
    "platform/<os>/parking.hpp must define unpark_one and unpark_all");

}  // namespace multiprocessing::platform
