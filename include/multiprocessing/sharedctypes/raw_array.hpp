// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/raw_array.hpp — a row of values that all processes see, without a
// lock.
// Layer 4 (shared state). Mirrors RawArray of Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/sharedctypes/elements.hpp>

#include <initializer_list>
#include <ranges>
#include <utility>

namespace multiprocessing {

/// Elements in shared memory, of a number fixed at the start.
///
/// Shape: T is trivially copyable. A contiguous range, so `std::span` and all algorithms take it.
/// Sharing: a handle; copies name the same array, and may travel to any process of the tree.
/// Python: `multiprocessing.RawArray(typecode_or_type, size_or_initializer)`.
template <class T>
class RawArray : public detail::Elements<T, detail::RawArrayBody<T>> {
    using Base = detail::Elements<T, detail::RawArrayBody<T>>;
    using Storage = typename Base::Storage;

public:
    /// A new array of so many zeros. Errors: ValueError when negative; MemoryError.
    template <std::integral I>
    explicit RawArray(I size) : Base(Storage(Base::checked_size(size))) {}

    /// A new array of the range's elements. Errors: MemoryError.
    template <detail::InitialRange<T> R>
    explicit RawArray(R&& range) : Base(Base::filled(std::forward<R>(range))) {}
    RawArray(std::initializer_list<T> elements) : Base(Base::filled(elements)) {}

    /// For what carries handles: a handle of such an object.
    static RawArray from(heap::Shared shared) {
        return RawArray(Storage::from(std::move(shared), "RawArray of this type"));
    }

private:
    explicit RawArray(Storage storage) : Base(std::move(storage)) {}
};

template <std::ranges::input_range R>
RawArray(R&&) -> RawArray<std::ranges::range_value_t<R>>;

template <class T>
struct pickle<RawArray<T>> {
    static void dump(auto& writer, RawArray<T> const& array) { writer.handle(array.shared()); }
    static RawArray<T> load(auto& reader) { return RawArray<T>::from(reader.handle()); }
};

}  // namespace multiprocessing

template <class T>
struct fmt::formatter<multiprocessing::RawArray<T>> : multiprocessing::detail::ReprFormatter {};
template <class T, class Char>
struct fmt::is_range<multiprocessing::RawArray<T>, Char> : std::false_type {};
