// SPDX-License-Identifier: MIT
// multiprocessing/timeout.hpp — how long a caller wants to wait, and until when that is.
// Layer 0 (base). Mirrors the `timeout=` parameters of Lib/multiprocessing, where None is for ever.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

namespace multiprocessing {

/// How long to wait: for ever by default, else any `std::chrono` duration.
///
/// Units: nanoseconds inside, rounded up; zero does not wait; negative counts as zero.
/// Python: `timeout=None` or seconds.
class Timeout {
public:
    /// What `ns()` is for a wait without end.
    static constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

    constexpr Timeout() noexcept = default;
    constexpr Timeout(std::nullopt_t) noexcept {}

    template <class Rep, class Period>
    constexpr Timeout(std::chrono::duration<Rep, Period> wait) noexcept : ns_(convert(wait)) {}

    template <class Rep, class Period>
    constexpr Timeout(std::optional<std::chrono::duration<Rep, Period>> wait) noexcept
        : ns_(wait ? convert(*wait) : forever) {}

    /// A wait of so many nanoseconds; `forever` is one without end.
    [[nodiscard]] static constexpr Timeout from_ns(std::uint64_t ns) noexcept {
        Timeout result;
        result.ns_ = ns;
        return result;
    }

    [[nodiscard]] constexpr std::uint64_t ns() const noexcept { return ns_; }
    [[nodiscard]] constexpr bool is_forever() const noexcept { return ns_ == forever; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return ns_ == 0; }

    friend constexpr bool operator==(Timeout, Timeout) noexcept = default;

private:
    template <class Rep, class Period>
    static constexpr std::uint64_t convert(std::chrono::duration<Rep, Period> wait) noexcept {
        using Seconds = std::chrono::duration<double>;
        double const seconds = std::chrono::duration_cast<Seconds>(wait).count();
        if (!(seconds > 0)) {  // also a NaN does not wait
            return 0;
        }
        if (seconds >= 9e9) {  // 285 years: a sum with the clock would overflow
            return forever;
        }
        return static_cast<std::uint64_t>(
            std::chrono::ceil<std::chrono::nanoseconds>(wait).count());
    }

    std::uint64_t ns_ = forever;
};

/// A point on the monotonic clock, or never. Made once where a call begins, so that the rounds of
/// its loop do not add up.
class Deadline {
public:
    static constexpr std::uint64_t never = Timeout::forever;

    constexpr Deadline() noexcept = default;
    Deadline(Timeout timeout) noexcept : ns_(after(timeout.ns())) {}

    /// The point `ns` on the clock of `now_ns`.
    [[nodiscard]] static constexpr Deadline at(std::uint64_t ns) noexcept {
        Deadline result;
        result.ns_ = ns;
        return result;
    }

    /// The monotonic clock, the same as `platform::monotonic_ns` and common to all processes.
    [[nodiscard]] static std::uint64_t now_ns() noexcept {
        auto const now = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    }

    [[nodiscard]] constexpr bool is_never() const noexcept { return ns_ == never; }
    [[nodiscard]] constexpr std::uint64_t ns() const noexcept { return ns_; }
    [[nodiscard]] bool expired() const noexcept { return !is_never() && now_ns() >= ns_; }

    /// What is left, 0 once expired, `never` for a wait without end.
    [[nodiscard]] std::uint64_t remaining_ns() const noexcept {
        if (is_never()) {
            return never;
        }
        std::uint64_t const now = now_ns();
        return now >= ns_ ? 0 : ns_ - now;
    }

    /// What is left, but at most `slice` nanoseconds: the length of one bounded sleep.
    [[nodiscard]] std::uint64_t remaining_ns(std::uint64_t slice) const noexcept {
        return std::min(remaining_ns(), slice);
    }

    [[nodiscard]] Timeout remaining() const noexcept { return Timeout::from_ns(remaining_ns()); }

    friend constexpr bool operator==(Deadline, Deadline) noexcept = default;
    friend constexpr auto operator<=>(Deadline, Deadline) noexcept = default;

    /// The deadline, or the point `ns` from now if that is earlier.
    [[nodiscard]] friend Deadline min(Deadline deadline, std::uint64_t ns) noexcept {
        return at(std::min(deadline.ns_, after(ns)));
    }

private:
    static std::uint64_t after(std::uint64_t ns) noexcept {
        if (ns == never) {
            return never;
        }
        std::uint64_t const now = now_ns();
        return ns < never - now ? now + ns : never;
    }

    std::uint64_t ns_ = never;
};

}  // namespace multiprocessing
