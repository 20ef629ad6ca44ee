// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/rlock.hpp — a lock that its owner may acquire again.
// Layer 2 (synchronization). Mirrors RLock of Lib/multiprocessing/synchronize.py.
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

/// An RLock's object. Other objects that begin with one have the same part in their tag.
struct RLockBody {
    static constexpr std::uint64_t tag_part = 1;
    static constexpr std::uint64_t tag_flags = tag_part;
    OwnerLock lock;
};

}  // namespace detail

/// Lets one thread of one process pass at a time; that thread may acquire it again and has to
/// release it as often. A forked child does not own what its parent owns. When the owner, thread or
/// process, ends, the next `acquire` gets it: see `abandoned`.
///
/// Sharing: a handle; copies name the same lock, and may travel to any process of the tree.
/// Python: `multiprocessing.RLock`.
/// Differs: recovered when its owner ends, where CPython's stays taken for ever.
class RLock {
public:
    /// A new lock, free. Errors: MemoryError.
    RLock() : body_(heap::Tagged<detail::RLockBody>::make()) {}

    /// Acquires the lock, once more if the caller owns it. False when it did not become free in
    /// time.
    /// Units: without `block` the time-out does not matter and nothing waits.
    /// Blocks: until it is released, its owner ended (noticed within 20 ms), or the time-out.
    /// Python: `RLock.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        auto const me = detail::Owner::mine();
        auto& lock = body_->lock;
        detail::Owner seen{0};
        if (!lock.take_free(me, seen)) {
            if (seen.same_thread(me)) {
                lock.set_depth(lock.depth() + 1);
                return true;
            }
            if (!lock.acquire_contended(me, detail::HeldBy::thread, block, timeout)) return false;
        }
        lock.set_depth(1);
        return true;
    }

    /// Gives back one `acquire`. Never blocks.
    /// Errors: AssertionError when the calling thread does not own the lock.
    /// Python: `RLock.release()`.
    void release() const {
        auto& lock = body_->lock;
        if (!lock.owner().same_thread(detail::Owner::mine()))
            throw AssertionError("attempt to release recursive lock not owned by thread");
        auto const depth = lock.depth();
        lock.set_depth(depth - 1);
        if (depth == 1) lock.release_own();
    }

    /// Whether somebody has it; a dead owner has it until the next `acquire`.
    /// Python: `RLock.locked()`.
    bool locked() const { return static_cast<bool>(body_->lock.owner()); }

    /// Whether the lock is held by somebody who took it over from an owner that ended: what it
    /// protects may be half done. From that `acquire` until the last `release` of the hold.
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
    bool operator==(RLock const& other) const { return body_ == other.body_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        auto const owner = body_->lock.owner();
        auto const depth = !owner ? std::string("0")
                           : owner.same_thread(detail::Owner::mine())
                               ? std::to_string(body_->lock.depth())
                               : std::string("nonzero");
        return fmt::format("<RLock({}, {})>", detail::owner_label(owner), depth);
    }

    /// For what is built on locks: the object behind the handle, and a handle of such an object,
    /// or of one that begins with an RLock.
    heap::Shared const& shared() const { return body_.shared(); }
    static RLock from(heap::Shared shared) {
        return RLock{heap::Tagged<detail::RLockBody>::from(std::move(shared), "RLock")};
    }

private:
    explicit RLock(heap::Tagged<detail::RLockBody> body) : body_(std::move(body)) {}

    heap::Tagged<detail::RLockBody> body_;
};

template <>
struct pickle<RLock> {
    static void dump(auto& writer, RLock const& lock) { writer.handle(lock.shared()); }
    static RLock load(auto& reader) { return RLock::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::RLock> : multiprocessing::detail::ReprFormatter {};
