// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/raw_value.hpp — one value that all processes see, without a lock.
// Layer 4 (shared state). Mirrors RawValue of Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/sharedctypes/body.hpp>
#include <multiprocessing/sharedctypes/text.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

namespace multiprocessing {

/// One T in shared memory. T may be a std::atomic-like type that is trivially copyable, or the
/// caller uses std::atomic_ref, or a lock elsewhere.
///
/// Shape: T is trivially copyable; what it points to is not shared.
/// Sharing: a handle; copies name the same value, and may travel to any process of the tree.
/// Python: `multiprocessing.RawValue(typecode_or_type, *args)`.
template <class T>
class RawValue {
public:
    using value_type = T;

    /// A new value, all bytes zero. Errors: MemoryError.
    RawValue() : storage_(1) {}
    explicit RawValue(T const& initial) : RawValue() {
        std::construct_at(storage_.data(), initial);
    }

    /// The value itself, in shared memory; valid as long as a handle of it lives.
    /// Python: `RawValue.value`.
    T& value() const { return *storage_.data(); }

    /// The same value, not an equal one.
    bool operator==(RawValue const& other) const { return storage_ == other.storage_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const { return detail::raw_repr(value()); }

    /// For what carries handles: the object behind this one, and a handle of such an object.
    heap::Shared const& shared() const { return storage_.shared(); }
    static RawValue from(heap::Shared shared) {
        return RawValue(Storage::from(std::move(shared), "RawValue of this type"));
    }

private:
    using Storage = detail::Storage<detail::RawValueBody<T>, T>;

    explicit RawValue(Storage storage) : storage_(std::move(storage)) {}

    Storage storage_;
};

template <class T>
struct pickle<RawValue<T>> {
    static void dump(auto& writer, RawValue<T> const& value) { writer.handle(value.shared()); }
    static RawValue<T> load(auto& reader) { return RawValue<T>::from(reader.handle()); }
};

}  // namespace multiprocessing

template <class T>
struct fmt::formatter<multiprocessing::RawValue<T>> : multiprocessing::detail::ReprFormatter {};
