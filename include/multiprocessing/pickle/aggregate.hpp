// SPDX-License-Identifier: MIT
// multiprocessing/pickle/aggregate.hpp — aggregates and pickle_members, member by member.
// Layer 3 (pickling). Mirrors what pickle does with an instance's __dict__.
#pragma once

#include <multiprocessing/pickle/bytewise.hpp>
#include <multiprocessing/pickle/fields.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <memory>
#include <tuple>
#include <type_traits>

namespace multiprocessing {
namespace detail {

/// Reads into a member that exists already.
template <class T>
void get_into(Reader& reader, T& value) {
    if constexpr (std::is_array_v<T> && is_bytewise<T>) {
        reader.raw(&value, sizeof(T));
        check_bools(reader, value);
    } else if constexpr (std::is_array_v<T>) {
        for (auto& element : value) {
            get_into(reader, element);
        }
    } else {
        value = get<T>(reader);
    }
}

// A braced list is read from left to right, and its elements are made in place.
template <class T, class... Field>
T get_fields(Reader& reader, Types<Field...>) {
    return T{get<std::remove_cv_t<Field>>(reader)...};
}

template <class T>
T get_aggregate(Reader& reader) {
    if constexpr (has_array_among(FieldTypes<T>{})) {
        T value{};
        with_fields(value, [&](auto&... field) { (get_into(reader, field), ...); });
        return value;
    } else {
        return get_fields<T>(reader, FieldTypes<T>{});
    }
}

}  // namespace detail

template <class T>
void pickle<T>::dump(Writer& writer, T const& value) {
    if constexpr (detail::WithMembers<T>) {
        std::apply([&](auto const&... member) { (detail::put(writer, member), ...); },
                   T::pickle_members(value));
    } else if constexpr (detail::is_bytewise<T>) {
        detail::put_bytes(writer, std::addressof(value), 1);
    } else {
        detail::with_fields(value,
                            [&](auto const&... field) { (detail::put(writer, field), ...); });
    }
}

template <class T>
T pickle<T>::load(Reader& reader) {
    if constexpr (detail::WithMembers<T>) {
        T value{};
        std::apply([&](auto&... member) { (detail::get_into(reader, member), ...); },
                   T::pickle_members(value));
        return value;
    } else if constexpr (detail::is_bytewise<T>) {
        return detail::get_bytes<T>(reader);
    } else {
        return detail::get_aggregate<T>(reader);
    }
}

}  // namespace multiprocessing
