// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/park_any.hpp — futex_waitv.
// Layer 1 (platform). Implements platform/park_any.hpp.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/posix/detail/time.hpp>
#include <multiprocessing/platform/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

/// As the kernel has it since Linux 5.16; older headers do not know it.
struct FutexWait {
    std::uint64_t value;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
};
inline constexpr std::size_t most_futex_waits = 128;
inline constexpr std::uint32_t futex_of_32_bits = 2;
inline constexpr long futex_waitv_number = 449;  // on every architecture

/// False: this system has no such call.
inline bool futex_waitv(std::span<ParkingWord const> words, timespec const* until) noexcept {
    std::array<FutexWait, most_futex_waits> waits;
    std::size_t count = 0;
    for (ParkingWord const& word : words) {
        waits[count++] = {word.expected, reinterpret_cast<std::uintptr_t>(word.word),
                          futex_of_32_bits, 0};
    }
    return ::syscall(futex_waitv_number, waits.data(), count, 0, until, CLOCK_MONOTONIC) >= 0 ||
           (errno != ENOSYS && errno != EPERM && errno != EINVAL);
}

inline bool has_changed(std::span<ParkingWord const> words) noexcept {
    for (ParkingWord const& word : words) {
        if (word.word->load() != word.expected) {
            return true;
        }
    }
    return false;
}

}  // namespace detail

inline void park_any(std::span<ParkingWord const> words, std::uint64_t timeout_ns) noexcept {
    constexpr std::uint64_t nap_ns = 500'000;
    constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t const start = monotonic_ns();
    timespec const until = detail::to_timespec(start + timeout_ns);
    if (words.size() <= detail::most_futex_waits && !words.empty() &&
        detail::futex_waitv(words, timeout_ns == forever ? nullptr : &until)) {
        return;
    }
    while (!detail::has_changed(words)) {
        std::uint64_t const passed = monotonic_ns() - start;
        if (passed >= timeout_ns) {
            return;
        }
        std::uint64_t const left = timeout_ns - passed;
        timespec const nap = detail::to_timespec(left < nap_ns ? left : nap_ns);
        ::nanosleep(&nap, nullptr);
    }
}

}  // namespace multiprocessing::platform::inline posix
