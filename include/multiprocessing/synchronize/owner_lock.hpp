// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/owner_lock.hpp — the one lock: a word that names its owner.
// Layer 2 (synchronization). Stands for CPython's Modules/_multiprocessing/semaphore.c.
//
//   free -> owned        one compare-and-swap by the new owner
//   owned -> free        one write; sleepers are woken after it
//   owned -> owned       one compare-and-swap by a waiter who found the owner dead: taken over
// The word is all that matters. Who is killed between its change and the wake-up delays the
// sleepers by one slice at most, since none sleeps longer without looking.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/event.hpp>
#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/synchronize/owner.hpp>
#include <multiprocessing/synchronize/spin.hpp>
#include <multiprocessing/timeout.hpp>
#include <multiprocessing/util/log.hpp>

#include <atomic>
#include <cstdint>

namespace multiprocessing::detail {

[[gnu::cold, gnu::noinline]] inline void warn_abandoned(heap::SlotStamp process) noexcept {
    try {
        auto& slot = heap::slot_of(process);
        auto const name = heap::slots::name(slot);
        auto const pid = slot.pid.load(std::memory_order_relaxed);
        if (process && heap::is_current(process))
            util::warning("took over a lock from {} (pid {}), which ended while it held it", name,
                          pid);
        else
            util::warning("took over a lock from an owner that ended while it held it");
    } catch (...) {  // no memory for a message: the lock is ours all the same
    }
}

/// Lies in shared memory; zero-filled it is free. 16 bytes, so that a Value lies beside its lock.
template <class Owner>
class OwnerLock {
public:
    /// Takes the lock if it is free; else `seen` is its owner.
    bool take_free(Owner me, Owner& seen) {
        std::uint64_t bits = 0;
        if (word_.compare_exchange_strong(bits, me.bits())) [[likely]]
            return true;
        seen = Owner{bits};
        return false;
    }

    /// Blocks: until the lock is free, its owner is found dead, or the deadline.
    [[gnu::noinline]] bool acquire_contended(Owner me, bool block, Timeout timeout) {
        if (!block || timeout.is_zero())
            return take_from_dead(me, Ask::now_and_then) || try_acquire(me);
        if (take_from_dead(me, Ask::never)) return true;
        Deadline const deadline{timeout};
        auto look = Deadline::now_ns() + heap::Event::slice_ns;
        for (;;) {
            if (spin_until([&] { return try_acquire(me); })) return true;
            auto const armed = event_.arm();
            if (try_acquire(me)) return true;
            event_.wait(armed, deadline);
            if (try_acquire(me)) return true;
            auto const now = Deadline::now_ns();
            bool const late = now >= deadline.ns() && !deadline.is_never();
            if (now >= look || late) {
                if (take_from_dead(me, Ask::always)) return true;
                look = now + heap::Event::slice_ns;
            }
            if (late) return try_acquire(me);
        }
    }

    /// Whoever calls. False when it was free.
    /// Errors: ValueError when it was taken over from a dead owner by a process other than the
    /// caller's.
    bool release() {
        auto seen = word_.load(std::memory_order_relaxed);
        do {
            if (seen == 0) return false;
            if (Owner{seen}.took_over()) require_own(Owner{seen});
        } while (!word_.compare_exchange_weak(seen, 0));
        event_.notify_one();
        return true;
    }

    /// By the owner, where nobody else may release.
    void release_own() {
        word_.exchange(0);
        event_.notify_one();
    }

    Owner owner() const { return Owner{word_.load(std::memory_order_relaxed)}; }

    // How often its owner has acquired it; only the owner writes it, and only while it owns the
    // lock.
    std::uint32_t depth() const { return depth_.load(std::memory_order_relaxed); }
    void set_depth(std::uint32_t depth) { depth_.store(depth, std::memory_order_relaxed); }

private:
    bool try_acquire(Owner me) {
        auto seen = word_.load(std::memory_order_relaxed);
        return seen == 0 && word_.compare_exchange_strong(seen, me.bits());
    }

    /// Whether to ask the system about the owner: its answer costs some microseconds.
    enum class Ask { never, now_and_then, always };

    /// Takes the lock over if its owner ended.
    bool take_from_dead(Owner me, Ask ask) {
        auto seen = word_.load();
        Owner const owner{seen};
        if (seen == 0 || !(ask == Ask::never ? owner.known_to_have_ended()
                                             : owner.ended(ask == Ask::now_and_then)))
            return false;
        auto process = owner.process();
        if (owner.known_to_have_ended()) process = {};  // swept, or alive without that thread
        if (!word_.compare_exchange_strong(seen, me.bits() | Owner::took_over_flag)) return false;
        warn_abandoned(process);
        if (process) heap::sweep(process);
        return true;
    }

    [[gnu::cold, gnu::noinline]] static void require_own(Owner owner) {
        if (!owner.same_process(Owner::mine()))
            throw ValueError("the lock was taken over when its owner ended: only the process that "
                             "holds it now may release it");
    }

    heap::Word word_{0};
    heap::Event event_;
    std::atomic<std::uint32_t> depth_{0};
};
static_assert(sizeof(OwnerLock<ProcessOwner>) == 16 && alignof(OwnerLock<ThreadOwner>) == 8);

}  // namespace multiprocessing::detail
