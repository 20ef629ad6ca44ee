// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/lock_handle.hpp — what Lock and RLock have in common.
// Layer 2 (synchronization). Mirrors SemLock of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/synchronize/owner_lock.hpp>
#include <multiprocessing/timeout.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace multiprocessing::detail {

/// A lock's object. Other objects that begin with one have the same part in their tag.
template <class Owner, std::uint64_t part>
struct LockObject {
    static constexpr std::uint64_t tag_part = part;
    static constexpr std::uint64_t tag_flags = part;
    OwnerLock<Owner> lock;
};
using LockBody = LockObject<ProcessOwner, 2>;
using RLockBody = LockObject<ThreadOwner, 1>;

/// The handle of a lock. `Kind` has acquire(), release(), own_depth(), and a name for errors.
template <class Kind, class Body>
class LockHandle {
public:
    /// Whether somebody has it; a dead owner has it until the next `acquire`.
    /// Python: `Lock.locked()`, `RLock.locked()`.
    bool locked() const { return static_cast<bool>(object().owner()); }

    /// Whether the lock is held by somebody who took it over from an owner that ended: what it
    /// protects may be half done. From that `acquire` until the `release` that ends the hold.
    /// Python: none, because CPython cannot tell.
    bool abandoned() const { return object().owner().took_over(); }

    // A standard Lockable, for std::scoped_lock and the like.
    void lock() const { self().acquire(); }
    bool try_lock() const { return self().acquire(false); }
    void unlock() const { self().release(); }
    bool try_lock_for(Timeout timeout) const { return self().acquire(true, timeout); }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> when) const {
        return self().acquire(true, when - Clock::now());
    }

    /// The same lock, not one in the same state.
    bool operator==(LockHandle const& other) const { return body_ == other.body_; }

    /// For what is built on locks: the object behind the handle, and a handle of such an object, or
    /// of one that begins with a lock.
    heap::Shared const& shared() const { return body_.shared(); }
    static Kind from(heap::Shared shared) {
        return Kind{heap::Tagged<Body>::from(std::move(shared), Kind::name)};
    }

protected:
    using Object = heap::Tagged<Body>;

    LockHandle() : body_(Object::make()) {}
    explicit LockHandle(Object body) : body_(std::move(body)) {}

    auto& object() const { return body_->lock; }

private:
    Kind const& self() const { return static_cast<Kind const&>(*this); }

    Object body_;
};

}  // namespace multiprocessing::detail
