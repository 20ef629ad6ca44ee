// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/clock.hpp — the performance counter.
// Layer 1 (platform). Implements platform/clock.hpp.
#pragma once

#include <multiprocessing/platform/win32/detail/api.hpp>

#include <atomic>
#include <cstdint>

namespace multiprocessing::platform::inline win32 {

namespace detail {

inline std::uint64_t counter_frequency() noexcept {
    static constinit std::atomic<std::uint64_t> known{0};
    std::uint64_t frequency = known.load(std::memory_order_relaxed);  // everyone stores the same
    if (frequency == 0) {
        ::QueryPerformanceFrequency(reinterpret_cast<_LARGE_INTEGER*>(&frequency));
        known.store(frequency, std::memory_order_relaxed);
    }
    return frequency;
}

}  // namespace detail

inline std::uint64_t monotonic_ns() noexcept {
    constexpr std::uint64_t second = 1'000'000'000;
    std::uint64_t ticks = 0;
    ::QueryPerformanceCounter(reinterpret_cast<_LARGE_INTEGER*>(&ticks));
    std::uint64_t const frequency = detail::counter_frequency();
    // In two parts: ticks times a second would pass 2^64 after half an hour of a 10 MHz counter.
    return ticks / frequency * second + ticks % frequency * second / frequency;
}

}  // namespace multiprocessing::platform::inline win32
