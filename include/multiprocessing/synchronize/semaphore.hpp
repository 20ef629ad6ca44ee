// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/semaphore.hpp — a number of permits, taken and given back.
// Layer 2 (synchronization). Mirrors Semaphore of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/synchronize/permits.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace multiprocessing {

struct SemaphoreOptions {
    /// The permits that a process holds when it ends come back. A `release` by a process that holds
    /// none then counts for another one that does. Costs 8 bytes and a look at each permit; at most
    /// 65536 of them, or, without a bound, twice the first value or 60.
    bool undo = false;
};

/// Lets as many pass as it has permits; any thread or process may release, more often than it
/// acquired, too. A permit has no owner unless `undo` is chosen.
///
/// Sharing: a handle; copies name the same semaphore, and may travel to any process of the tree.
/// Python: `multiprocessing.Semaphore(value=1)`.
/// Differs: with `undo` it recovers from the end of a holder.
class Semaphore {
public:
    /// Errors: OSError (EINVAL) for a value below 0 or, with `undo`, too large; MemoryError.
    explicit Semaphore(std::int64_t value = 1, SemaphoreOptions options = {})
        : Semaphore(value, static_cast<std::int64_t>(max()), options) {}

    /// Takes a permit. False when none became free in time.
    /// Units: without `block` the time-out does not matter and nothing waits.
    /// Blocks: until a permit is free or the time-out; with `undo` also until a holder's end is
    /// noticed (within 20 ms).
    /// Python: `Semaphore.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        return permits_->take() ||
               permits_->take_by(block ? Deadline{timeout} : Deadline::at(0));
    }

    /// Gives a permit back, or adds one. Never blocks.
    /// Errors: ValueError when there are as many as there may be.
    /// Python: `Semaphore.release()`.
    void release() const {
        if (!permits_->give()) throw ValueError("semaphore or lock released too many times");
    }

    /// How many permits are free.
    /// Python: `Semaphore.get_value()`.
    std::int64_t get_value() const { return static_cast<std::int64_t>(permits_->value()); }

    /// Whether no permit is free.
    /// Python: `Semaphore.locked()`.
    bool locked() const { return get_value() == 0; }

    // As std::counting_semaphore.
    static constexpr std::ptrdiff_t max() noexcept { return detail::Permits::most; }
    bool try_acquire() const { return acquire(false); }
    bool try_acquire_for(Timeout timeout) const { return acquire(true, timeout); }
    template <class Clock, class Duration>
    bool try_acquire_until(std::chrono::time_point<Clock, Duration> when) const {
        return acquire(true, when - Clock::now());
    }

    // A standard Lockable, for std::scoped_lock and the like.
    void lock() const { acquire(); }
    bool try_lock() const { return acquire(false); }
    void unlock() const { release(); }
    bool try_lock_for(Timeout timeout) const { return acquire(true, timeout); }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> when) const {
        return try_acquire_until(when);
    }

    /// The same semaphore, not one in the same state.
    bool operator==(Semaphore const& other) const { return permits_ == other.permits_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const { return fmt::format("<Semaphore(value={})>", get_value()); }

    /// For what carries handles: the object behind this one, and a handle of such an object.
    heap::Shared const& shared() const { return permits_.shared(); }
    static Semaphore from(heap::Shared shared) { return Semaphore{std::move(shared), "Semaphore"}; }

protected:
    Semaphore(std::int64_t value, std::int64_t bound, SemaphoreOptions options)
        : permits_(make(value, bound, options)) {}
    Semaphore(heap::Shared shared, char const* name)
        : permits_(heap::Tagged<detail::Permits>::from(std::move(shared), name)) {}

    std::int64_t bound() const { return static_cast<std::int64_t>(permits_->bound()); }

private:
    static heap::Tagged<detail::Permits> make(std::int64_t value, std::int64_t bound,
                                              SemaphoreOptions options) {
        auto const most = options.undo ? std::int64_t{detail::Permits::most_cells} : max();
        if (value < 0 || value > most || bound > max())
            throw OSError(std::make_error_code(std::errc::invalid_argument),
                          "[Errno 22] Invalid argument");
        return detail::Permits::make(static_cast<std::uint64_t>(value),
                                     static_cast<std::uint64_t>(bound), options.undo);
    }

    heap::Tagged<detail::Permits> permits_;
};

template <>
struct pickle<Semaphore> {
    static void dump(auto& writer, Semaphore const& semaphore) {
        writer.handle(semaphore.shared());
    }
    static Semaphore load(auto& reader) { return Semaphore::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Semaphore> : multiprocessing::detail::ReprFormatter {};
