// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/elements.hpp — what Array and RawArray have in common.
// Layer 4 (shared state). Mirrors the array part of Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/sharedctypes/body.hpp>
#include <multiprocessing/sharedctypes/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing::detail {

struct ElementsBase {};

/// A range whose elements an array of T can begin with; not an array handle itself, which is
/// copied.
template <class R, class T>
concept InitialRange =
    std::ranges::input_range<R> && std::convertible_to<std::ranges::range_reference_t<R>, T> &&
    !std::derived_from<std::remove_cvref_t<R>, ElementsBase>;

/// A contiguous range over shared memory, of a size fixed at its birth.
template <class T, class Body>
class Elements : public ElementsBase {
public:
    using value_type = T;

    T* begin() const { return storage_.data(); }
    T* end() const { return begin() + size(); }
    T* data() const { return begin(); }
    /// Python: `len(array)`.
    std::size_t size() const { return static_cast<std::size_t>(storage_.count()); }
    bool empty() const { return size() == 0; }

    /// The element itself; negative counts from the end. Errors: IndexError.
    /// Python: `array[i]`.
    template <std::integral I>
    T& operator[](I index) const {
        auto const n = size();
        auto at = static_cast<std::size_t>(index);
        if constexpr (std::is_signed_v<I>)
            if (index < 0) at += n;
        if (at >= n) [[unlikely]]
            throw_index();
        return begin()[at];
    }

    /// The same array, not an equal one.
    bool operator==(Elements const& other) const { return storage_ == other.storage_; }

    /// The contents, as Python shows a list of them.
    std::string repr() const {
        std::string text = "[";
        for (auto const& element : *this) {
            if (text.size() > 1) text += ", ";
            text += value_repr(element);
        }
        return text += ']';
    }

    /// For what carries handles: the object behind this one.
    heap::Shared const& shared() const { return storage_.shared(); }

protected:
    using Storage = detail::Storage<Body, T>;

    explicit Elements(Storage storage) : storage_(std::move(storage)) {}

    template <std::integral I>
    static std::uint64_t checked_size(I size) {
        if constexpr (std::is_signed_v<I>)
            if (size < 0) throw ValueError("the size of an array must not be negative");
        return static_cast<std::uint64_t>(size);
    }

    /// A new array of the range's elements.
    template <class R>
    static Storage filled(R&& range, heap::Shared const* lock = nullptr) {
        if constexpr (std::ranges::forward_range<R> || std::ranges::sized_range<R>) {
            Storage storage(static_cast<std::uint64_t>(std::ranges::distance(range)), lock);
            auto* to = storage.data();
            for (auto&& element : range) std::construct_at(to++, static_cast<T>(element));
            return storage;
        } else {
            std::vector<T> all;
            for (auto&& element : range) all.push_back(static_cast<T>(element));
            return filled(all, lock);
        }
    }

    Storage storage_;

private:
    [[noreturn, gnu::cold, gnu::noinline]] static void throw_index() {
        throw IndexError("invalid index");
    }
};

}  // namespace multiprocessing::detail
