// SPDX-License-Identifier: MIT
// multiprocessing/pickle/schema.hpp — a number that says what a message holds.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/pickle/traits.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace multiprocessing {
namespace detail {

template <class T, class... Outer>
consteval std::uint64_t find_schema();

// One evaluation for each type: compilers limit the steps of one.
template <class T, class... Outer>
inline constexpr std::uint64_t schema_of = find_schema<T, Outer...>();

template <class... Outer, class... T>
consteval std::uint64_t mix_schemas(std::uint64_t seed, Types<T...>) {
    std::uint64_t hash = fnv1a(sizeof...(T), seed);
    ((hash = fnv1a(schema_of<std::remove_cv_t<T>, Outer...>, hash)), ...);
    return hash;
}

template <class T>
consteval std::uint64_t kind_of() {
    if constexpr (requires { pickle<T>::kind; }) {
        return pickle<T>::kind;
    } else {
        return fnv1a(type_name<T>(), fnv1a("user"));
    }
}

/// Structural: two types with the same parts in the same order have the same schema. Outer are the
/// types that T was found in; where T stands among them, that place is its schema.
template <class T, class... Outer>
consteval std::uint64_t find_schema() {
    if constexpr (is_among<T, Outer...>) {
        return fnv1a(index_among<T, Outer...>(), fnv1a("recursive"));
    } else if constexpr (std::is_array_v<T>) {
        using Element = std::remove_extent_t<T>;
        return mix_schemas<Outer...>(fnv1a(std::extent_v<T>, fnv1a("array")), Types<Element>{});
    } else if constexpr (KnownPickle<T>) {
        return mix_schemas<T, Outer...>(kind_of<T>(), typename pickle<T>::parts{});
    } else if constexpr (UserPickle<T>) {
        return kind_of<T>();
    } else if constexpr (WithMembers<T>) {
        return mix_schemas<T, Outer...>(fnv1a("members"), MemberTypes<T>{});
    } else if constexpr (CountedAggregate<T>) {
        // The layout of bytes depends on the alignment as well.
        std::uint64_t const layout = is_bytewise<T> ? sizeof(T) * 4096 + alignof(T) : 0;
        return mix_schemas<T, Outer...>(fnv1a(layout, fnv1a("aggregate")), FieldTypes<T>{});
    } else {
        return fnv1a(sizeof(T), fnv1a(type_name<T>()));
    }
}

// Native bytes: another byte order is another language.
inline constexpr std::uint64_t pickle_format =
    fnv1a(std::endian::native == std::endian::little ? 1 : 2, fnv1a("multiprocessing pickle 1"));

}  // namespace detail

/// What a message holds, as one number: stands in front of it, so that reading it as something else
/// is an `UnpicklingError`.
template <class T>
inline constexpr std::uint64_t schema_hash = detail::fnv1a(detail::schema_of<std::remove_cv_t<T>>,
                                                           detail::pickle_format);

}  // namespace multiprocessing
