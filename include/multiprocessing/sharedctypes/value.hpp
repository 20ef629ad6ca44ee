// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/value.hpp — one value that all processes see, with a lock.
// Layer 4 (shared state). Mirrors Value and Synchronized of Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/sharedctypes/body.hpp>
#include <multiprocessing/sharedctypes/text.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace multiprocessing {

/// One T in shared memory and the lock that guards it. Reading and writing `value()` takes no lock:
/// hold `get_lock()` around `+=` and whatever else is more than one access.
///
/// Shape: T is trivially copyable; what it points to is not shared.
/// Sharing: a handle; copies name the same value, and may travel to any process of the tree.
/// Python: `multiprocessing.Value(typecode_or_type, *args, lock=True)`.
/// Differs: `value` alone takes no lock. Without any lock: RawValue, where Python says
/// `lock=False`.
template <class T, SharedLock L = RLock>
class Value {
public:
    using value_type = T;

    /// A new value, all bytes zero, with a lock of its own. Errors: MemoryError.
    Value() : Value(Storage(1)) {}
    explicit Value(T const& initial) : Value() { std::construct_at(storage_.data(), initial); }

    /// A new value that is guarded by that lock. It need not be the only one.
    /// Python: `Value(type, x, lock=lock)`.
    Value(T const& initial, L const& lock) : storage_(1, &lock.shared()), lock_(lock) {
        std::construct_at(storage_.data(), initial);
    }

    /// The value itself, in shared memory; valid as long as a handle of it lives.
    /// Python: `Value.value`.
    T& value() const { return *storage_.data(); }

    /// The lock; a copy of it is another handle.
    /// Python: `Value.get_lock()`.
    L& get_lock() const { return lock_; }

    /// The value without the lock. Python: `Value.get_obj()`.
    T& get_obj() const { return value(); }

    /// Python: `Value.acquire(block=True, timeout=None)`.
    bool acquire(bool block = true, Timeout timeout = {}) const {
        return lock_.acquire(block, timeout);
    }
    /// Python: `Value.release()`.
    void release() const { lock_.release(); }

    // A standard Lockable, as `with value:` is in Python.
    void lock() const { lock_.lock(); }
    bool try_lock() const { return lock_.try_lock(); }
    void unlock() const { lock_.unlock(); }

    /// The same value, not an equal one.
    bool operator==(Value const& other) const { return storage_ == other.storage_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        return fmt::format("<Synchronized wrapper for {}>", detail::raw_repr(value()));
    }

    /// For what carries handles: the object behind this one, and a handle of such an object.
    heap::Shared const& shared() const { return storage_.shared(); }
    static Value from(heap::Shared shared) {
        return Value(Storage::from(std::move(shared), "Value of this type"));
    }

private:
    using Storage = detail::Storage<detail::ValueBody<T, L>, T>;

    explicit Value(Storage storage)
        : storage_(std::move(storage)), lock_(storage_.template lock<L>()) {}

    Storage storage_;
    mutable L lock_;  // a handle: what it does changes the shared lock, never the handle
};

template <class T>
Value(T) -> Value<T>;
template <class T, SharedLock L>
Value(T, L) -> Value<T, L>;

template <class T, class L>
struct pickle<Value<T, L>> {
    static void dump(auto& writer, Value<T, L> const& value) { writer.handle(value.shared()); }
    static Value<T, L> load(auto& reader) { return Value<T, L>::from(reader.handle()); }
};

}  // namespace multiprocessing

template <class T, class L>
struct fmt::formatter<multiprocessing::Value<T, L>> : multiprocessing::detail::ReprFormatter {};
