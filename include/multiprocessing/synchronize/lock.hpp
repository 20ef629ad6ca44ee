// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/lock.hpp — a lock that survives the end of its owner.
// Layer 2 (synchronization). Mirrors Lock of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/synchronize/lock_handle.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace multiprocessing {

/// Lets one thread of one process pass at a time. Not recursive; any thread or process may release
/// it. When the process that acquired it ends, the next `acquire` gets it: see `abandoned`. A
/// thread may end and leave the release to others of its process.
///
/// Sharing: a handle; copies name the same lock, and may travel to any process of the tree.
/// Python: `multiprocessing.Lock`.
/// Differs: recovered when its owner ends, where CPython's stays taken for ever.
class Lock : public detail::LockHandle<Lock, detail::LockBody> {
    friend LockHandle;

public:
    /// A new lock, free. Errors: MemoryError.
    Lock() = default;

    /// Acquires the lock. False when it did not become free in time.
    /// Units: without `block` the time-out does not matter and nothing waits.
    /// Blocks: until it is released, its owner ended (noticed within 20 ms), or the time-out.
    /// Python: `Lock.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        auto const me = detail::ProcessOwner::mine();
        detail::ProcessOwner seen{0};
        return object().take_free(me, seen) || object().acquire_contended(me, block, timeout);
    }

    /// Releases the lock, whoever acquired it. Never blocks.
    /// Errors: ValueError when it is free, or when it was taken over from a process that ended and
    /// now belongs to another process than the caller's.
    /// Python: `Lock.release()`.
    void release() const {
        if (!object().release()) throw ValueError("semaphore or lock released too many times");
    }

    /// How often the calling thread has acquired it: 1 or 0.
    /// Python: `SemLock._is_mine()`.
    std::uint32_t own_depth() const {
        return object().owner().same_thread(detail::ProcessOwner::mine()) ? 1 : 0;
    }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        return fmt::format("<Lock(owner={})>", detail::owner_label(object().owner()));
    }

private:
    static constexpr char const* name = "Lock";
    using LockHandle::LockHandle;
};

template <>
struct pickle<Lock> {
    static void dump(auto& writer, Lock const& lock) { writer.handle(lock.shared()); }
    static Lock load(auto& reader) { return Lock::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Lock> : multiprocessing::detail::ReprFormatter {};
