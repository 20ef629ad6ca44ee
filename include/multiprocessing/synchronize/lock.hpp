// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/lock.hpp — a lock that survives the end of its owner.
// Layer 2 (synchronization). Mirrors Lock of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/synchronize/owner_lock.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace multiprocessing {

namespace detail {

/// A Lock's object. Other objects that begin with one have the same part in their tag.
struct LockBody {
    static constexpr std::uint64_t tag_part = 2;
    static constexpr std::uint64_t tag_flags = tag_part;
    OwnerLock lock;
};

}  // namespace detail

/// Lets one thread of one process pass at a time. Not recursive; any thread or process may release
/// it. When the process that acquired it ends, the next `acquire` gets it: see `abandoned`.
///
/// Sharing: a handle; copies name the same lock, and may travel to any process of the tree.
/// Python: `multiprocessing.Lock`.
/// Differs: recovered when its owner ends, where CPython's stays taken for ever.
class Lock {
public:
    /// A new lock, free. Errors: MemoryError.
    Lock() : body_(heap::Tagged<detail::LockBody>::make()) {}

    /// Acquires the lock. False when it did not become free in time.
    /// Units: without `block` the time-out does not matter and nothing waits.
    /// Blocks: until it is released, its owner ended (noticed within 20 ms), or the time-out.
    /// Python: `Lock.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        auto const me = detail::Owner::mine();
        detail::Owner seen{0};
        return body_->lock.take_free(me, seen) ||
               body_->lock.acquire_contended(me, detail::HeldBy::process, block, timeout);
    }

    /// Releases the lock, whoever acquired it. Never blocks.
    /// Errors: ValueError when it is free, or when it was taken over from a process that ended and
    /// now belongs to another process than the caller's.
    /// Python: `Lock.release()`.
    void release() const {
        if (!body_->lock.release()) throw ValueError("semaphore or lock released too many times");
    }

    /// Whether somebody has it; a dead owner has it until the next `acquire`.
    /// Python: `Lock.locked()`.
    bool locked() const { return static_cast<bool>(body_->lock.owner()); }

    /// Whether the lock is held by somebody who took it over from an owner that ended: what it
    /// protects may be half done. From that `acquire` until the `release` that ends the hold.
    /// Python: none, because CPython cannot tell.
    bool abandoned() const { return body_->lock.owner().took_over(); }

    // A standard Lockable, for std::scoped_lock and the like.
    void lock() const { acquire(); }
    bool try_lock() const { return acquire(false); }
    void unlock() const { release(); }
    bool try_lock_for(Timeout timeout) const { return acquire(true, timeout); }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> when) const {
        return acquire(true, when - Clock::now());
    }

    /// The same lock, not one in the same state.
    bool operator==(Lock const& other) const { return body_ == other.body_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        return fmt::format("<Lock(owner={})>", detail::owner_label(body_->lock.owner()));
    }

    /// For what is built on locks: the object behind the handle, and a handle of such an object.
    heap::Shared const& shared() const { return body_.shared(); }
    static Lock from(heap::Shared shared) {
        return Lock{heap::Tagged<detail::LockBody>::from(std::move(shared), "Lock")};
    }

private:
    explicit Lock(heap::Tagged<detail::LockBody> body) : body_(std::move(body)) {}

    heap::Tagged<detail::LockBody> body_;
};

template <>
struct pickle<Lock> {
    static void dump(auto& writer, Lock const& lock) { writer.handle(lock.shared()); }
    static Lock load(auto& reader) { return Lock::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Lock> : multiprocessing::detail::ReprFormatter {};
