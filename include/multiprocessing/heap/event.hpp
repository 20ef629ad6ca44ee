// SPDX-License-Identifier: MIT
// multiprocessing/heap/event.hpp — one shared word to sleep on until something changes.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/layout.hpp>
#include <multiprocessing/platform/parking.hpp>
#include <multiprocessing/timeout.hpp>

namespace multiprocessing::heap {

/// Sleepers set a flag before they look a last time at what they wait for; wakers make a syscall
/// only while the flag is up, and take it down when nobody was there. So a killed sleeper costs
/// one needless wake, once. The word's upper bits count wakes, so no wake is missed.
/// Sharing: processes and threads. A zero-filled word is a valid Event.
class Event {
public:
    /// Sleep no longer than this without looking whether a peer died.
    static constexpr std::uint64_t slice_ns = 20'000'000;

    /// Announces a sleeper. Look at the condition again, then wait() with what this returned.
    std::uint32_t arm() { return word_.fetch_or(1) | 1; }

    /// Sleeps until a wake since arm(), the deadline, or one slice, whatever comes first.
    void wait(std::uint32_t armed, Deadline deadline) {
        auto const left = deadline.is_never() ? slice_ns : deadline.remaining_ns();
        platform::park(word_, armed, left < slice_ns ? left : slice_ns);
    }

    /// Wakes one sleeper. What it waits for must have been made true before by a sequentially
    /// consistent write.
    void notify_one() {
        auto seen = word_.load();
        if ((seen & 1) == 0) return;
        seen = word_.fetch_add(2) + 2;
        if (platform::unpark_one(word_) == 0) word_.compare_exchange_strong(seen, seen & ~1u);
    }

    /// Wakes all sleepers, in the same way.
    void notify_all() {
        auto seen = word_.load();
        while ((seen & 1) != 0)
            if (word_.compare_exchange_weak(seen, (seen + 2) & ~1u)) {
                platform::unpark_all(word_);
                return;
            }
    }

private:
    std::atomic<std::uint32_t> word_{0};
};

}  // namespace multiprocessing::heap
