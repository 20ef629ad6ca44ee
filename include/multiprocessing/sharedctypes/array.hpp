// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/array.hpp — a row of values that all processes see, with a lock.
// Layer 4 (shared state). Mirrors Array and SynchronizedArray of
// Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/sharedctypes/elements.hpp>
#include <multiprocessing/sharedctypes/guarded.hpp>

#include <initializer_list>
#include <ranges>
#include <span>
#include <utility>

namespace multiprocessing {

/// Elements in shared memory, of a number fixed at the start, and the lock that guards them.
/// Indexing and iterating take no lock: hold `get_lock()` around what is more than one access.
///
/// Shape: T is trivially copyable. A contiguous range, so `std::span` and all algorithms take it.
/// Sharing: a handle; copies name the same array, and may travel to any process of the tree.
/// Python: `multiprocessing.Array(typecode_or_type, size_or_initializer, lock=True)`.
/// Differs: `array[i]` takes no lock and is the element itself. Without any lock: RawArray.
template <class T, SharedLock L = RLock>
class Array : public detail::Elements<T, detail::ArrayBody<T, L>>, public detail::Guarded<L> {
    using Base = detail::Elements<T, detail::ArrayBody<T, L>>;
    using Storage = typename Base::Storage;

public:
    /// A new array of so many zeros. Errors: ValueError when negative; MemoryError.
    template <std::integral I>
    explicit Array(I size) : Array(Storage(Base::checked_size(size))) {}
    template <std::integral I>
    Array(I size, L const& lock) : Array(Storage(Base::checked_size(size), &lock.shared())) {}

    /// A new array of the range's elements. Errors: MemoryError.
    template <detail::InitialRange<T> R>
    explicit Array(R&& range) : Array(Base::filled(std::forward<R>(range))) {}
    template <detail::InitialRange<T> R>
    Array(R&& range, L const& lock) : Array(Base::filled(std::forward<R>(range), &lock.shared())) {}
    Array(std::initializer_list<T> elements) : Array(Base::filled(elements)) {}

    /// The elements without the lock. Python: `Array.get_obj()`.
    std::span<T> get_obj() const { return {this->begin(), this->size()}; }

    /// For what carries handles: a handle of such an object.
    static Array from(heap::Shared shared) {
        return Array(Storage::from(std::move(shared), "Array of this type"));
    }

private:
    explicit Array(Storage storage)
        : Base(std::move(storage)), detail::Guarded<L>(this->storage_.template lock<L>()) {}
};

template <std::ranges::input_range R>
Array(R&&) -> Array<std::ranges::range_value_t<R>>;
template <std::ranges::input_range R, SharedLock L>
Array(R&&, L) -> Array<std::ranges::range_value_t<R>, L>;

template <class T, class L>
struct pickle<Array<T, L>> {
    static void dump(auto& writer, Array<T, L> const& array) { writer.handle(array.shared()); }
    static Array<T, L> load(auto& reader) { return Array<T, L>::from(reader.handle()); }
};

}  // namespace multiprocessing

template <class T, class L>
struct fmt::formatter<multiprocessing::Array<T, L>> : multiprocessing::detail::ReprFormatter {};
template <class T, class L, class Char>
struct fmt::is_range<multiprocessing::Array<T, L>, Char> : std::false_type {};
