// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/condition.hpp — a lock, and a place to wait for a change of what it
// guards.
// Layer 2 (synchronization). Mirrors Condition of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/synchronize/lock.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/synchronize/rlock.hpp>
#include <multiprocessing/synchronize/waiters.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace multiprocessing {

namespace detail {

/// A Condition's object. Link 0 is its lock.
struct ConditionBody {
    bool recursive = true;
    Waiters waiters;
};

}  // namespace detail

/// Threads and processes that hold its lock wait until another one, which then holds the lock,
/// notifies them. A waiter that is killed does not hold up anybody; a notification that reached it
/// and nobody else passes to another.
///
/// Sharing: a handle; copies name the same condition, and may travel to any process of the tree.
/// Python: `multiprocessing.Condition(lock=None)`.
/// Differs: who has waited longest is notified first. `notify` does not wait for those it wakes,
/// and so does not hang when one of them was killed.
class Condition {
public:
    /// With an RLock of its own. Errors: MemoryError.
    Condition() : Condition(RLock()) {}
    /// With that lock, which may guard more.
    explicit Condition(RLock lock) : body_(make(lock.shared(), true)), lock_(std::move(lock)) {}
    explicit Condition(Lock lock) : body_(make(lock.shared(), false)), lock_(std::move(lock)) {}

    /// Python: `Condition.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        return std::visit([&](auto const& lock) { return lock.acquire(block, timeout); }, lock_);
    }
    /// Errors: as the lock's. Python: `Condition.release()`.
    void release() const {
        std::visit([](auto const& lock) { lock.release(); }, lock_);
    }
    /// Whether somebody has the lock. Python: `Condition.locked()`.
    bool locked() const {
        return std::visit([](auto const& lock) { return lock.locked(); }, lock_);
    }

    /// Gives the lock back, however often it was acquired, waits, and acquires it as often again.
    /// False when the time-out came before a notification. It may return true for nothing after
    /// others were killed, so look again at what you wait for.
    /// Blocks: until notified or the time-out; then until the lock is free.
    /// Errors: AssertionError when the calling thread does not own the lock; MemoryError.
    /// Python: `Condition.wait(timeout=None)`.
    bool wait(Timeout timeout = {}) const {
        auto depth = own_depth();
        if (depth == 0) throw AssertionError("must acquire() condition before using wait()");
        auto& object = body_.shared().header();
        auto& waiters = body_->waiters;
        Deadline const deadline{timeout};
        auto& cell = waiters.enter(object);
        for (auto i = depth; i != 0; --i) release();
        auto const notified = waiters.wait(object, cell, deadline);
        for (; depth != 0; --depth) acquire();
        if (notified) waiters.leave(cell);
        return notified;
    }

    /// Waits until `predicate()`, called with the lock held, is true; returns what it gave last.
    /// Blocks: as `wait`; the time-out is for all of it.
    /// Python: `Condition.wait_for(predicate, timeout=None)`.
    template <std::invocable Predicate>
    auto wait_for(Predicate predicate, Timeout timeout = {}) const {
        auto result = predicate();
        for (Deadline const deadline{timeout}; !result && !deadline.expired();) {
            wait(deadline.remaining());
            result = predicate();
        }
        return result;
    }

    /// Wakes `n` of those who wait now, or all if they are fewer. They return from `wait` one after
    /// the other, as they get the lock. Never blocks.
    /// Errors: AssertionError when the calling thread does not own the lock.
    /// Python: `Condition.notify(n=1)`.
    void notify(std::int64_t n = 1) const {
        require_own();
        if (n > 0) body_->waiters.notify(body_.shared().header(), static_cast<std::uint64_t>(n));
    }
    /// Python: `Condition.notify_all()`.
    void notify_all() const {
        require_own();
        body_->waiters.notify_all(body_.shared().header());
    }

    // A standard Lockable, for std::scoped_lock and the like.
    void lock() const { acquire(); }
    bool try_lock() const { return acquire(false); }
    void unlock() const { release(); }
    bool try_lock_for(Timeout timeout) const { return acquire(true, timeout); }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> when) const {
        return acquire(true, when - Clock::now());
    }

    /// The same condition, not one in the same state.
    bool operator==(Condition const& other) const { return body_ == other.body_; }

    /// Python's `repr`, which is its `str` too: the lock, and how many wait.
    std::string repr() const {
        return fmt::format("<Condition({}, {})>",
                           std::visit([](auto const& lock) { return lock.repr(); }, lock_),
                           body_->waiters.count(body_.shared().header()));
    }

    /// For what carries handles: the object behind this one, and a handle of such an object.
    heap::Shared const& shared() const { return body_.shared(); }
    static Condition from(heap::Shared shared) {
        return Condition{heap::Tagged<detail::ConditionBody>::from(std::move(shared), "Condition")};
    }

private:
    using Body = heap::Tagged<detail::ConditionBody>;

    explicit Condition(Body body) : body_(std::move(body)), lock_(lock_of(body_)) {}

    static Body make(heap::Shared const& lock, bool recursive) {
        return Body::make(detail::Waiters::links, 0,
                          [&](heap::Header& header, detail::ConditionBody& body) {
                              body.recursive = recursive;
                              heap::link(header, 0, lock);
                          });
    }
    static std::variant<RLock, Lock> lock_of(Body const& body) {
        auto lock = heap::Shared::adopt(body.shared().header().link(0).load());
        if (body->recursive) return RLock::from(std::move(lock));
        return Lock::from(std::move(lock));
    }

    /// How often the calling thread has acquired the lock.
    std::uint32_t own_depth() const {
        return std::visit([](auto const& lock) { return lock.own_depth(); }, lock_);
    }
    void require_own() const {
        if (own_depth() == 0) throw AssertionError("lock is not owned");
    }

    Body body_;
    std::variant<RLock, Lock> lock_;
};

template <>
struct pickle<Condition> {
    static void dump(auto& writer, Condition const& condition) {
        writer.handle(condition.shared());
    }
    static Condition load(auto& reader) { return Condition::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Condition> : multiprocessing::detail::ReprFormatter {};
