// SPDX-License-Identifier: MIT
// benchmarks/support/rings.hpp — rings that no kill may hit: what queues and pipes are measured by.
#pragma once

#include "support/pairs.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bench {

using Message = std::array<std::uint64_t, 8>;

/// One putter, one getter; both spin. `Batch`: each publishes once in so many messages, hence their
/// number must be a multiple of it.
template <std::uint64_t Batch>
class SpscRing {
public:
    void put(Message const& message) {
        while (put_ - freed_ == capacity)
            if ((freed_ = head_.load(std::memory_order_acquire)), put_ - freed_ == capacity)
                pause_cpu();
        slots_[put_++ % capacity] = message;
        if (put_ % Batch == 0) tail_.store(put_, std::memory_order_release);
    }
    Message get() {
        while (got_ == filled_)
            if ((filled_ = tail_.load(std::memory_order_acquire)), got_ == filled_) pause_cpu();
        auto const message = slots_[got_++ % capacity];
        if (got_ % Batch == 0) head_.store(got_, std::memory_order_release);
        return message;
    }

private:
    static constexpr std::uint64_t capacity = 1024;

    alignas(128) std::atomic<std::uint64_t> tail_{0};
    alignas(128) std::atomic<std::uint64_t> head_{0};
    alignas(128) std::uint64_t put_ = 0, freed_ = 0;    // the putter's
    alignas(128) std::uint64_t got_ = 0, filled_ = 0;   // the getter's
    alignas(128) std::array<Message, capacity> slots_{};
};

/// Any number of putters and getters; a sequence number per slot. Spins, yields, then sleeps.
class MpmcRing {
public:
    MpmcRing() {
        for (std::uint64_t i = 0; i < capacity; ++i) slots_[i].turn.store(i);
    }
    void put(Message const& message) {
        wait(not_full_, [&] { return try_put(message); });
        not_empty_.notify();
    }
    Message get() {
        Message message;
        wait(not_empty_, [&] { return try_get(message); });
        not_full_.notify();
        return message;
    }

private:
    static constexpr std::uint64_t capacity = 1024;

    struct alignas(64) Slot {
        std::atomic<std::uint64_t> turn;
        alignas(64) Message message;
    };
    struct alignas(128) Bell {
        std::atomic<std::uint32_t> rings{0}, sleepers{0};
        void notify() {
            std::atomic_thread_fence(std::memory_order_seq_cst);
            if (sleepers.load(std::memory_order_relaxed) == 0) return;
            rings.fetch_add(1);
            futex_wake(rings, 1);
        }
    };

    bool try_put(Message const& message) {
        auto at = tail_.load(std::memory_order_relaxed);
        for (;;) {
            auto& slot = slots_[at % capacity];
            auto const ahead =
                static_cast<std::int64_t>(slot.turn.load(std::memory_order_acquire) - at);
            if (ahead < 0) return false;
            if (ahead == 0 && tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                slot.message = message;
                slot.turn.store(at + 1, std::memory_order_release);
                return true;
            }
            if (ahead > 0) at = tail_.load(std::memory_order_relaxed);
        }
    }
    bool try_get(Message& message) {
        auto at = head_.load(std::memory_order_relaxed);
        for (;;) {
            auto& slot = slots_[at % capacity];
            auto const ahead =
                static_cast<std::int64_t>(slot.turn.load(std::memory_order_acquire) - at - 1);
            if (ahead < 0) return false;
            if (ahead == 0 && head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                message = slot.message;
                slot.turn.store(at + capacity, std::memory_order_release);
                return true;
            }
            if (ahead > 0) at = head_.load(std::memory_order_relaxed);
        }
    }
    template <class Try>
    static void wait(Bell& bell, Try try_it) {
        for (int i = 0; i < 64; ++i) {
            if (try_it()) return;
            pause_cpu();
        }
        for (int i = 0; i < 16; ++i) {
            ::sched_yield();
            if (try_it()) return;
        }
        for (;;) {
            bell.sleepers.fetch_add(1);
            auto const seen = bell.rings.load();
            auto const done = try_it();
            if (!done) futex_wait(bell.rings, seen);
            bell.sleepers.fetch_sub(1);
            if (done || try_it()) return;
        }
    }

    alignas(128) std::atomic<std::uint64_t> tail_{0};
    alignas(128) std::atomic<std::uint64_t> head_{0};
    Bell not_empty_, not_full_;
    std::array<Slot, capacity> slots_;
};

}  // namespace bench
