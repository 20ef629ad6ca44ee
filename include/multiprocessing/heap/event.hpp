// SPDX-License-Identifier: MIT
// multiprocessing/heap/event.hpp — one shared word to sleep on until something changes.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/layout.hpp>
#include <multiprocessing/platform/park_any.hpp>
#include <multiprocessing/platform/parking.hpp>
#include <multiprocessing/timeout.hpp>

#include <span>

namespace multiprocessing::heap {

/// Sleepers set a flag before they look a last time at what they wait for; wakers make a syscall
/// only while the flag is up, and take it down when nobody was there. So a killed sleeper costs
/// one needless wake, once. The word's upper bits count wakes, so no wake is missed; a second flag
/// tells a waker that found nobody whether somebody came since.
/// Sharing: processes and threads. A zero-filled word is a valid Event.
class Event {
public:
    /// Sleep no longer than this without looking whether a peer died.
    static constexpr std::uint64_t slice_ns = 20'000'000;

    /// As when it was made. Nobody may be using it.
    void reset() { word_.store(0); }

    /// Announces a sleeper. Look at the condition again, then wait() with what this returned.
    std::uint32_t arm() { return word_.fetch_or(sleeps | fresh) | sleeps | fresh; }

    /// Sleeps until a wake since arm(), the deadline, or one slice, whatever comes first.
    void wait(std::uint32_t armed, Deadline deadline) {
        auto const left = deadline.is_never() ? slice_ns : deadline.remaining_ns();
        platform::park(word_, armed, left < slice_ns ? left : slice_ns);
    }

    /// The same without slices, for a process that ends together with whom it waits for.
    void sleep(std::uint32_t armed, std::uint64_t longest_ns) {
        platform::park(word_, armed, longest_ns);
    }

    /// The same for several events at once, each armed with park_word().
    static void wait_any(std::span<platform::ParkingWord const> armed, Deadline deadline) {
        auto const left = deadline.is_never() ? slice_ns : deadline.remaining_ns();
        platform::park_any(armed, left < slice_ns ? left : slice_ns);
    }
    platform::ParkingWord park_word() { return {&word_, arm()}; }

    /// Wakes one sleeper. What it waits for must have been made true before by a sequentially
    /// consistent write.
    void notify_one() {
        auto seen = word_.load();
        do
            if ((seen & sleeps) == 0) return;
        while (!word_.compare_exchange_weak(seen, (seen + wake) & ~fresh));
        seen = (seen + wake) & ~fresh;
        // Who armed before the count changed will not sleep; who armed after it is fresh.
        if (platform::unpark_one(word_) == 0) word_.compare_exchange_strong(seen, seen & ~sleeps);
    }

    /// Wakes all sleepers, in the same way.
    void notify_all() {
        auto seen = word_.load();
        while ((seen & sleeps) != 0)
            if (word_.compare_exchange_weak(seen, (seen + wake) & ~(sleeps | fresh))) {
                platform::unpark_all(word_);
                return;
            }
    }

private:
    static constexpr std::uint32_t sleeps = 1;
    static constexpr std::uint32_t fresh = 2;
    static constexpr std::uint32_t wake = 4;

    std::atomic<std::uint32_t> word_{0};
};

}  // namespace multiprocessing::heap
