// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/guarded.hpp — the lock of a Value or an Array.
// Layer 4 (shared state). Mirrors SynchronizedBase of Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/sharedctypes/body.hpp>
#include <multiprocessing/timeout.hpp>

#include <utility>

namespace multiprocessing::detail {

template <SharedLock L>
class Guarded {
public:
    /// The lock; a copy of it is another handle.
    /// Python: `Value.get_lock()`, `Array.get_lock()`.
    L& get_lock() const { return lock_; }

    /// Python: `Value.acquire(block=True, timeout=None)`, `Array.acquire(...)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        return lock_.acquire(block, timeout);
    }
    /// Python: `Value.release()`, `Array.release()`.
    void release() const { lock_.release(); }

    // A standard Lockable, as `with value:` is in Python.
    void lock() const { lock_.lock(); }
    bool try_lock() const { return lock_.try_lock(); }
    void unlock() const { lock_.unlock(); }

protected:
    explicit Guarded(L lock) : lock_(std::move(lock)) {}

private:
    mutable L lock_;  // a handle: what it does changes the shared lock, never the handle
};

}  // namespace multiprocessing::detail
