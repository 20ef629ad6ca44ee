// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/wait.hpp — the system's milliseconds and our nanoseconds.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace multiprocessing::platform::inline win32::detail {

inline constexpr dword wait_object_0 = 0;
inline constexpr dword wait_timeout = 258;
inline constexpr dword wait_failed = 0xffff'ffff;

// A time-out that is asked again and again for what is left of it.
class Countdown {
public:
    static constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

    explicit Countdown(std::uint64_t timeout_ns) noexcept
        : start_(monotonic_ns()), timeout_(timeout_ns) {}

    [[nodiscard]] std::uint64_t left_ns() const noexcept {
        if (timeout_ == forever) return forever;
        auto const passed = monotonic_ns() - start_;
        return passed < timeout_ ? timeout_ - passed : 0;
    }

    // Rounded up; what is longer than the system can wait is cut, so the caller asks again.
    [[nodiscard]] dword milliseconds() const noexcept {
        auto const left = left_ns();
        if (left == forever) return infinite;
        auto const whole = left / 1'000'000 + (left % 1'000'000 != 0 ? 1 : 0);
        return static_cast<dword>(std::min<std::uint64_t>(whole, infinite - 1));
    }

private:
    std::uint64_t start_, timeout_;
};

}  // namespace multiprocessing::platform::inline win32::detail
