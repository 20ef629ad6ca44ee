// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/parking.hpp — an event per sleeping thread.
// Layer 1 (platform). Implements platform/parking.hpp.
#pragma once

// WaitOnAddress does not cross processes. How sleepers are found: detail/parking_lot.hpp.

#include <multiprocessing/config.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/thread.hpp>
#include <multiprocessing/platform/types.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/parking_lot.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace multiprocessing::platform::inline win32 {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 &&
              std::atomic<std::uint32_t>::is_always_lock_free);

namespace detail {

inline std::uint64_t this_thread_number() noexcept {
    return std::uint64_t{::GetCurrentProcessId()} << 32 | ::GetCurrentThreadId();
}

/// Local\multiprocessing-<process>-<thread>, in hexadecimal digits.
class EventName {
public:
    explicit EventName(std::uint64_t owner) noexcept {
        std::size_t at = sizeof text_ / sizeof *text_ - 1;
        for (int digit = 0; digit < 16; ++digit, owner >>= 4)
            text_[--at] = L"0123456789abcdef"[owner & 15];
    }
    [[nodiscard]] wchar_t const* text() const noexcept { return text_; }

private:
    wchar_t text_[39] = L"Local\\multiprocessing-0000000000000000";
};

/// Made when the thread first sleeps, closed when it ends. Each module opens the same.
inline native_handle event_of_this_thread() noexcept {
    static thread_local constinit native_handle known = nullptr;
    if (known != nullptr) return known;
    Handle event(::CreateEventW(nullptr, false, false, EventName(this_thread_number()).text()));
    try {
        at_thread_end(
            [](std::uint64_t number) noexcept { Handle const closed(handle_of_number(number)); },
            number_of_handle(event.get()));
    } catch (std::bad_alloc const&) {
        return nullptr;
    }
    return known = event.release();
}

/// Whether the thread is there; sets its event.
inline bool signal_thread(std::uint64_t owner) noexcept {
    constexpr dword may_set = 2;
    Handle const event(::OpenEventW(may_set, false, EventName(owner).text()));
    return event && ::SetEvent(event.get()) != 0;
}

inline Wait* claim_wait(Bucket& bucket, std::uint64_t owner) noexcept {
    for (Wait& wait : bucket.waits) {
        std::uint64_t free = 0;
        if (wait.owner.load(std::memory_order_relaxed) == 0 &&
            wait.owner.compare_exchange_strong(free, owner)) {
            return &wait;
        }
    }
    return nullptr;
}

/// Frees the waits of threads that are gone; to the others it is a needless wake.
inline void sweep_waits(Bucket& bucket) noexcept {
    for (Wait& wait : bucket.waits) {
        std::uint64_t owner = wait.owner.load();
        if (owner != 0 && !signal_thread(owner)) {
            wait.key.store(0);
            wait.owner.compare_exchange_strong(owner, 0);
        }
    }
}

inline dword milliseconds(std::uint64_t ns) noexcept {
    return static_cast<dword>((ns + 999'999) / 1'000'000);  // never early
}

/// One slice of sleep: whether a waker took the key away.
inline bool sleep_until_woken(Wait& wait, native_handle event, std::uint64_t ns) noexcept {
    ::WaitForSingleObject(event, milliseconds(std::min(ns, liveness_interval_ns)));
    return wait.key.load() == 0;
}

}  // namespace detail

inline Parked park(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                   std::uint64_t timeout_ns) noexcept {
    constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t const start = monotonic_ns();
    detail::ParkingPlace const place = detail::parking_place(&word);
    native_handle const event = detail::event_of_this_thread();
    detail::Wait* wait = nullptr;
    if (event != nullptr) {
        wait = detail::claim_wait(*place.bucket, detail::this_thread_number());
        if (wait == nullptr) detail::sweep_waits(*place.bucket);
    }
    // Sequentially consistent, as the look at the word behind it: a waker changes the word before
    // it looks for waits, so that one of the two sees the other.
    if (wait != nullptr) wait->key.store(place.key);
    Parked result = Parked::timed_out;
    for (bool first = true;; first = false) {
        if (word.load() != expected) {
            result = first ? Parked::changed : Parked::woken;
            break;
        }
        std::uint64_t const passed = monotonic_ns() - start;
        if (timeout_ns != forever && passed >= timeout_ns) break;
        std::uint64_t const left = timeout_ns == forever ? forever : timeout_ns - passed;
        if (wait == nullptr) {  // so many sleep already: without a wake
            ::Sleep(1);
        } else if (detail::sleep_until_woken(*wait, event, left)) {
            result = Parked::woken;
            break;
        }
    }
    if (wait != nullptr) {
        // A wake that comes with the end of the time is taken, since it counts for its waker.
        if (wait->key.exchange(0) == 0 && result == Parked::timed_out) result = Parked::woken;
        wait->owner.store(0, std::memory_order_release);
    }
    return result;
}

namespace detail {

inline int unpark(std::atomic<std::uint32_t>& word, int most) noexcept {
    ParkingPlace const place = parking_place(&word);
    Bucket& bucket = *place.bucket;
    // A full barrier: the caller's change of the word comes before the look for sleepers.
    std::size_t const start = bucket.wakes.fetch_add(1);
    int woken = 0;
    for (std::size_t i = 0; i < Bucket::size && woken < most; ++i) {
        Wait& wait = bucket.waits[(start + i) % Bucket::size];
        std::uint64_t key = place.key;
        if (wait.key.load() != key) continue;
        if (!wait.key.compare_exchange_strong(key, 0)) continue;
        std::uint64_t owner = wait.owner.load();
        if (owner == 0 || signal_thread(owner)) {  // 0: its slice has ended, it has seen the wake
            ++woken;
        } else {
            wait.owner.compare_exchange_strong(owner, 0);
        }
    }
    return woken;
}

}  // namespace detail

inline int unpark_one(std::atomic<std::uint32_t>& word) noexcept {
    return detail::unpark(word, 1);
}

inline int unpark_all(std::atomic<std::uint32_t>& word) noexcept {
    return detail::unpark(word, std::numeric_limits<int>::max());
}

}  // namespace multiprocessing::platform::inline win32
