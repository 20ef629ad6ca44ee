// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/value.hpp — one value that all processes see, with a lock.
// Layer 4 (shared state). Mirrors Value and Synchronized of Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/sharedctypes/body.hpp>
#include <multiprocessing/sharedctypes/guarded.hpp>
#include <multiprocessing/sharedctypes/text.hpp>

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
class Value : public detail::Guarded<L> {
public:
    using value_type = T;

    /// A new value, all bytes zero, with a lock of its own. Errors: MemoryError.
    Value() : Value(Storage(1)) {}
    explicit Value(T const& initial) : Value() { std::construct_at(storage_.data(), initial); }

    /// A new value that is guarded by that lock. It need not be the only one.
    /// Python: `Value(type, x, lock=lock)`.
    Value(T const& initial, L const& lock) : detail::Guarded<L>(lock), storage_(1, &lock.shared()) {
        std::construct_at(storage_.data(), initial);
    }

    /// The value itself, in shared memory; valid as long as a handle of it lives.
    /// Python: `Value.value`.
    T& value() const { return *storage_.data(); }

    /// The value without the lock. Python: `Value.get_obj()`.
    T& get_obj() const { return value(); }

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
        : detail::Guarded<L>(storage.template lock<L>()), storage_(std::move(storage)) {}

    Storage storage_;
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
