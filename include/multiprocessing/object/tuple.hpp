// SPDX-License-Identifier: MIT
// multiprocessing/object/tuple.hpp — a tuple of Objects.
// Layer 3 (object). Mirrors tuple of Python.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/list.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// Immutable, as long as what is in it is.
/// Sharing: as Object.
/// Python: `tuple`.
class Tuple : public detail::ObjectHandle {
public:
    using value_type = Object;

    Tuple() : Tuple(std::initializer_list<Object>{}) {}
    Tuple(std::initializer_list<Object> items)
        : Tuple(std::span<Object const>(items.begin(), items.size()), FromSpan()) {}
    /// Python: `tuple(iterable)`.
    template <detail::RangeValue R>
        requires(!std::same_as<std::remove_cvref_t<R>, Tuple>)
    explicit Tuple(R&& items) : Tuple(List(std::forward<R>(items)), FromSpan()) {}
    /// The tuple that an Object is. Errors: TypeError.
    static Tuple of(Object const& object) { return Tuple(object, ObjectKind::tuple); }

    /// A negative index counts from the end. Errors: IndexError.
    /// Python: `self[i]`.
    Object const& operator[](std::ptrdiff_t index) const {
        auto const at = static_cast<std::size_t>(index) + (index < 0 ? size() : 0);
        if (at >= size()) throw IndexError("tuple index out of range");
        return begin()[at];
    }
    Object const& at(std::ptrdiff_t index) const { return (*this)[index]; }

    Object const* begin() const noexcept { return node().first(); }
    Object const* end() const noexcept { return begin() + node().size; }

    /// Errors: ValueError.
    [[nodiscard]] std::size_t index(Object const& x) const {
        auto const at = std::find(begin(), end(), x);
        if (at == end()) throw ValueError("tuple.index(x): x not in tuple");
        return static_cast<std::size_t>(at - begin());
    }
    [[nodiscard]] std::size_t count(Object const& x) const {
        return static_cast<std::size_t>(std::count(begin(), end(), x));
    }

private:
    struct FromSpan {};

    Tuple(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}
    template <class Items>
    Tuple(Items const& items, FromSpan)
        : ObjectHandle(detail::ObjectAccess::adopt(detail::TupleNode::make(items.size()))) {
        std::copy(items.begin(), items.end(), node().first());
    }

    detail::TupleNode& node() const noexcept {
        return detail::node_as<detail::TupleNode>(object_);
    }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Tuple> : multiprocessing::detail::ReprFormatter {};
