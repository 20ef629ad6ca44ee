// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/parking.hpp — the futex.
// Layer 1 (platform). Implements platform/parking.hpp.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/posix/detail/time.hpp>
#include <multiprocessing/platform/types.hpp>

#include <atomic>
#include <climits>
#include <cstdint>
#include <limits>

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 &&
              std::atomic<std::uint32_t>::is_always_lock_free);

namespace detail {

inline long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
                  timespec const* timeout) noexcept {
    return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, timeout,
                     nullptr, 0);
}

}  // namespace detail

inline Parked park(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                   std::uint64_t timeout_ns) noexcept {
    constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t const start = timeout_ns == forever ? 0 : monotonic_ns();
    std::uint64_t left = timeout_ns;
    for (;;) {
        timespec const limit = detail::to_timespec(left);
        if (detail::futex(word, FUTEX_WAIT, expected, left == forever ? nullptr : &limit) == 0) {
            return Parked::woken;
        }
        if (errno == EAGAIN) {
            return Parked::changed;
        }
        if (errno != EINTR) {
            return errno == ETIMEDOUT ? Parked::timed_out : Parked::woken;
        }
        if (timeout_ns != forever) {  // a signal must not lengthen the sleep
            std::uint64_t const passed = monotonic_ns() - start;
            if (passed >= timeout_ns) {
                return Parked::timed_out;
            }
            left = timeout_ns - passed;
        }
    }
}

inline int unpark_one(std::atomic<std::uint32_t>& word) noexcept {
    long const woken = detail::futex(word, FUTEX_WAKE, 1, nullptr);
    return woken > 0 ? static_cast<int>(woken) : 0;
}

inline int unpark_all(std::atomic<std::uint32_t>& word) noexcept {
    long const woken = detail::futex(word, FUTEX_WAKE, INT_MAX, nullptr);
    return woken > 0 ? static_cast<int>(woken) : 0;
}

}  // namespace multiprocessing::platform::inline posix
