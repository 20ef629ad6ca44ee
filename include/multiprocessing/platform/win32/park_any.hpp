// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/park_any.hpp — one event, waited for in several places.
// Layer 1 (platform). Implements platform/park_any.hpp.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/types.hpp>
#include <multiprocessing/platform/win32/detail/parking_lot.hpp>
#include <multiprocessing/platform/win32/parking.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace multiprocessing::platform::inline win32 {

namespace detail {

/// The waits of this thread for all words, if they are not too many; given back at the end.
class ManyWaits {
public:
    explicit ManyWaits(std::span<ParkingWord const> words) noexcept
        : complete_(words.size() <= waits_.size()) {
        if (!complete_) return;
        for (ParkingWord const& word : words) {
            ParkingPlace const place = parking_place(word.word);
            Wait* const wait = claim_wait(*place.bucket, this_thread_number());
            if (wait == nullptr) {
                sweep_waits(*place.bucket);
                complete_ = false;
            } else {
                wait->key.store(place.key);  // then the words are looked at, as in park
                waits_[count_++] = wait;
            }
        }
    }
    ManyWaits(ManyWaits const&) = delete;
    ManyWaits& operator=(ManyWaits const&) = delete;
    ~ManyWaits() {
        for (Wait* const wait : taken()) {
            wait->key.store(0);
            wait->owner.store(0, std::memory_order_release);
        }
    }

    /// Whether a wake of any word would reach this thread.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    [[nodiscard]] bool woken() const noexcept {
        return std::ranges::any_of(taken(),
                                   [](Wait const* wait) { return wait->key.load() == 0; });
    }

private:
    [[nodiscard]] std::span<Wait* const> taken() const noexcept {
        return {waits_.data(), count_};
    }

    std::array<Wait*, 128> waits_{};
    std::size_t count_ = 0;
    bool complete_;
};

}  // namespace detail

inline void park_any(std::span<ParkingWord const> words, std::uint64_t timeout_ns) noexcept {
    std::uint64_t const start = monotonic_ns();
    native_handle const event = detail::event_of_this_thread();
    detail::ManyWaits const waits(words);
    for (;;) {
        for (ParkingWord const& word : words)
            if (word.word->load() != word.expected) return;
        std::uint64_t const passed = monotonic_ns() - start;
        if (passed >= timeout_ns || waits.woken()) return;
        if (event == nullptr || !waits.complete()) {
            ::Sleep(1);
            continue;
        }
        auto const slice = std::min(timeout_ns - passed, liveness_interval_ns);
        ::WaitForSingleObject(event, detail::milliseconds(slice));
    }
}

}  // namespace multiprocessing::platform::inline win32
