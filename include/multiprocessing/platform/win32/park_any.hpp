// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/park_any.hpp — one event, waited for in several places.
// Layer 1 (platform). Implements platform/park_any.hpp.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/types.hpp>
#include <multiprocessing/platform/win32/detail/parking_lot.hpp>
#include <multiprocessing/platform/win32/parking.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace multiprocessing::platform::inline win32 {

namespace detail {

/// The waits of this thread for all words; given back at the end.
class ManyWaits {
public:
    explicit ManyWaits(std::span<ParkingWord const> words) {
        waits_.reserve(words.size());
        for (ParkingWord const& word : words) {
            ParkingPlace const place = parking_place(word.word);
            Wait* const wait = claim_wait(*place.bucket, this_thread_number());
            if (wait == nullptr) sweep_waits(*place.bucket);
            else wait->key.store(place.key);  // then the words are looked at, as in park
            complete_ = complete_ && wait != nullptr;
            waits_.push_back(wait);
        }
    }
    ManyWaits(ManyWaits const&) = delete;
    ManyWaits& operator=(ManyWaits const&) = delete;
    ~ManyWaits() {
        for (Wait* const wait : waits_) {
            if (wait == nullptr) continue;
            wait->key.store(0);
            wait->owner.store(0, std::memory_order_release);
        }
    }

    /// Whether a wake of any word would reach this thread.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    [[nodiscard]] bool woken() const noexcept {
        return std::any_of(waits_.begin(), waits_.end(), [](Wait const* wait) {
            return wait != nullptr && wait->key.load() == 0;
        });
    }

private:
    std::vector<Wait*> waits_;
    bool complete_ = true;
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
