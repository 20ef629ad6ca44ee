// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/rlock.hpp — a lock that its owner may acquire again.
// Layer 2 (synchronization). Mirrors RLock of Lib/multiprocessing/synchronize.py.
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

/// Lets one thread of one process pass at a time; that thread may acquire it again and has to
/// release it as often. A forked child does not own what its parent owns. When the owner, thread or
/// process, ends, the next `acquire` gets it: see `abandoned`.
///
/// Sharing: a handle; copies name the same lock, and may travel to any process of the tree.
/// Python: `multiprocessing.RLock`.
/// Differs: recovered when its owner ends, where CPython's stays taken for ever.
class RLock : public detail::LockHandle<RLock, detail::RLockBody> {
    friend LockHandle;

public:
    /// A new lock, free. Errors: MemoryError.
    RLock() = default;

    /// Acquires the lock, once more if the caller owns it. False when it did not become free in
    /// time.
    /// Units: without `block` the time-out does not matter and nothing waits.
    /// Blocks: until it is released, its owner ended (noticed within 20 ms), or the time-out.
    /// Python: `RLock.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        auto const me = detail::ThreadOwner::mine();
        auto& lock = object();
        detail::ThreadOwner seen{0};
        if (!lock.take_free(me, seen)) {
            if (seen.same_thread(me)) {
                lock.set_depth(lock.depth() + 1);
                return true;
            }
            if (!lock.acquire_contended(me, block, timeout)) return false;
        }
        lock.set_depth(1);
        return true;
    }

    /// Gives back one `acquire`. Never blocks.
    /// Errors: AssertionError when the calling thread does not own the lock.
    /// Python: `RLock.release()`.
    void release() const {
        auto const depth = own_depth();
        if (depth == 0)
            throw AssertionError("attempt to release recursive lock not owned by thread");
        object().set_depth(depth - 1);
        if (depth == 1) object().release_own();
    }

    /// How often the calling thread has acquired it and not given it back.
    /// Python: `SemLock._count()`, where `SemLock._is_mine()`.
    std::uint32_t own_depth() const {
        auto& lock = object();
        return lock.owner().same_thread(detail::ThreadOwner::mine()) ? lock.depth() : 0;
    }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        auto const owner = object().owner();
        auto const mine = own_depth();
        return fmt::format("<RLock({}, {})>", detail::owner_label(owner),
                           !owner      ? std::string("0")
                           : mine != 0 ? std::to_string(mine)
                                       : std::string("nonzero"));
    }

private:
    static constexpr char const* name = "RLock";
    using LockHandle::LockHandle;
};

template <>
struct pickle<RLock> {
    static void dump(auto& writer, RLock const& lock) { writer.handle(lock.shared()); }
    static RLock load(auto& reader) { return RLock::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::RLock> : multiprocessing::detail::ReprFormatter {};
