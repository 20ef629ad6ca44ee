// SPDX-License-Identifier: MIT
// multiprocessing/object/list.hpp — a list of Objects.
// Layer 3 (object). Mirrors list of Python.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

namespace detail {

// std::stable_sort is not used: with libstdc++ 12 it calls what C++20 has deprecated.
template <class Less>
void merge_sort(std::vector<Object>& items, Less less) {
    std::vector<Object> merged(items.size());
    auto const size = static_cast<std::ptrdiff_t>(items.size());
    for (std::ptrdiff_t width = 1; width < size; width *= 2) {
        auto to = merged.begin();
        for (std::ptrdiff_t at = 0; at < size; at += 2 * width) {
            auto const first = std::make_move_iterator(items.begin() + at);
            auto const half = std::min(width, size - at);
            auto const end = std::min(2 * width, size - at);
            to = std::merge(first, first + half, first + half, first + end, to, less);
        }
        items.swap(merged);
    }
}

}  // namespace detail

/// Copies name the same list.
/// Sharing: as Object.
/// Python: `list`.
/// Differs: compilers do not agree on `List{List{1}}`; write `List{Object(List{1})}`.
class List : public detail::ObjectHandle {
public:
    using value_type = Object;

    List() : List(std::initializer_list<Object>{}) {}
    List(std::initializer_list<Object> items)
        : ObjectHandle(detail::ObjectAccess::make<detail::ListNode>(ObjectKind::list, items)) {}
    /// A new list of what the range has.
    /// Python: `list(iterable)`.
    template <detail::RangeValue R>
        requires(!std::same_as<std::remove_cvref_t<R>, List>)
    explicit List(R&& items) : List() {
        extend(items);
    }
    /// The list that an Object is. Errors: TypeError.
    static List of(Object const& object) { return List(object, ObjectKind::list); }

    /// The item itself; a negative index counts from the end. Errors: IndexError.
    /// Python: `self[i]`.
    Object& operator[](std::ptrdiff_t index) const { return items()[place(index, "list index")]; }
    Object& at(std::ptrdiff_t index) const { return (*this)[index]; }

    Object* begin() const noexcept { return items().data(); }
    Object* end() const noexcept { return items().data() + items().size(); }

    void append(Object x) const { items().push_back(std::move(x)); }
    /// Errors: whatever the range throws, and then the items before that are in the list.
    template <detail::RangeValue R>
    void extend(R&& range) const {
        if constexpr (std::same_as<std::remove_cvref_t<R>, List>) {
            auto const copy = range.items();  // it may be this list
            items().insert(items().end(), copy.begin(), copy.end());
        } else {
            using X = detail::ElementOf<std::remove_reference_t<R>>;
            for (auto&& x : range) append(Object(static_cast<X const&>(x)));
        }
    }
    void extend(std::initializer_list<Object> more) const {
        items().insert(items().end(), more.begin(), more.end());
    }
    /// An index out of range means the nearest end.
    void insert(std::ptrdiff_t index, Object x) const {
        auto const n = static_cast<std::ptrdiff_t>(size());
        auto const at = std::clamp<std::ptrdiff_t>(index < 0 ? index + n : index, 0, n);
        items().insert(items().begin() + at, std::move(x));
    }
    /// Errors: IndexError.
    Object pop(std::ptrdiff_t index = -1) const {
        if (empty()) throw IndexError("pop from empty list");
        auto const at = items().begin() + static_cast<std::ptrdiff_t>(place(index, "pop index"));
        auto const x = std::move(*at);
        items().erase(at);
        return x;
    }
    /// Errors: ValueError.
    void remove(Object const& x) const {
        auto const at = find(x);
        if (at == end()) throw ValueError("list.remove(x): x not in list");
        auto const old = std::move(*at);
        items().erase(items().begin() + (at - begin()));
    }
    /// Errors: ValueError.
    [[nodiscard]] std::size_t index(Object const& x) const {
        auto const at = find(x);
        if (at == end()) throw ValueError(x.repr() + " is not in list");
        return static_cast<std::size_t>(at - begin());
    }
    [[nodiscard]] std::size_t count(Object const& x) const {
        return static_cast<std::size_t>(std::count(begin(), end(), x));
    }
    void reverse() const { std::reverse(begin(), end()); }
    /// Keeps the order of equal items. Errors: TypeError, and then nothing has changed.
    void sort(bool reverse = false) const {
        auto sorted = items();
        detail::merge_sort(sorted, [reverse](Object const& a, Object const& b) {
            return reverse ? b < a : a < b;
        });
        items().swap(sorted);
    }
    void clear() const { auto const old = std::exchange(items(), {}); }
    /// A new list of the same items.
    [[nodiscard]] List copy() const { return List(*this, Copy()); }

private:
    struct Copy {};

    List(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}
    List(List const& other, Copy) : List() { items() = other.items(); }

    std::vector<Object>& items() const noexcept {
        return detail::node_as<detail::ListNode>(object_).value;
    }
    std::size_t place(std::ptrdiff_t index, std::string_view what) const {
        auto const n = items().size();
        auto const at = static_cast<std::size_t>(index) + (index < 0 ? n : 0);
        if (at >= n) throw IndexError(detail::joined({what, " out of range"}));
        return at;
    }
    Object* find(Object const& x) const { return std::find(begin(), end(), x); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::List> : multiprocessing::detail::ReprFormatter {};
