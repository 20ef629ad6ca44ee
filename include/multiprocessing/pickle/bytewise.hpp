// SPDX-License-Identifier: MIT
// multiprocessing/pickle/bytewise.hpp — values that are written as the bytes they are.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/pickle/fields.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <array>
#include <bit>
#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <tuple>
#include <type_traits>

namespace multiprocessing::detail {

/// A bool, or an enum over one: reading one that is neither 0 nor 1 would be undefined.
template <class T>
consteval bool is_boolean() {
    if constexpr (std::is_enum_v<T>) {
        return std::is_same_v<std::underlying_type_t<T>, bool>;
    } else {
        return std::is_same_v<T, bool>;
    }
}

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

/// How many bytes of a bytewise T belong to its value; the others are padding.
template <class T>
consteval std::size_t value_bytes();

template <class... T>
consteval std::size_t sum_value_bytes(Types<T...>) {
    return (value_bytes<std::remove_cv_t<T>>() + ... + std::size_t{0});
}

template <class T>
consteval std::size_t value_bytes() {
    if constexpr (std::is_array_v<T>) {
        return std::extent_v<T> * value_bytes<std::remove_cv_t<std::remove_extent_t<T>>>();
    } else if constexpr (is_std_array<T>) {
        return std::tuple_size_v<T> * value_bytes<std::remove_cv_t<typename T::value_type>>();
    } else if constexpr (std::is_same_v<T, long double> && LDBL_MANT_DIG == 64) {
        return 10;
    } else if constexpr (CountedAggregate<T>) {
        return sum_value_bytes(FieldTypes<T>{});
    } else {
        return sizeof(T);
    }
}

/// Whether a bytewise T has bytes between its members.
template <class T>
inline constexpr bool has_padding = value_bytes<T>() != sizeof(T);

template <class T>
consteval bool find_bools();

template <class... T>
consteval bool any_bools(Types<T...>) {
    return (find_bools<std::remove_cv_t<T>>() || ...);
}

template <class T>
consteval bool find_bools() {
    if constexpr (std::is_array_v<T>) {
        return find_bools<std::remove_cv_t<std::remove_extent_t<T>>>();
    } else if constexpr (is_std_array<T>) {
        return find_bools<std::remove_cv_t<typename T::value_type>>();
    } else if constexpr (CountedAggregate<T>) {
        return any_bools(FieldTypes<T>{});
    } else {
        return is_boolean<T>();
    }
}

template <class T>
inline constexpr bool has_bools = find_bools<T>();

/// Calls f(address, bytes, is a bool) for the parts of x that are one value each, in their order.
template <class T, class F>
void for_each_leaf(T const& x, F&& f) {
    if constexpr (std::is_array_v<T> || is_std_array<T>) {
        if constexpr (sizeof(x) != 0) {
            for (auto const& element : x) {
                for_each_leaf(element, f);
            }
        }
    } else if constexpr (CountedAggregate<T>) {
        with_fields(x, [&](auto const&... field) { (for_each_leaf(field, f), ...); });
    } else {
        f(static_cast<void const*>(&x), value_bytes<T>(), is_boolean<T>());
    }
}

/// Sets to zero, in a copy of x, the bytes that belong to no member: whatever lay there in this
/// process is nobody's business outside.
template <class T>
void clear_padding(std::byte* copy, T const& x) {
    auto const start = reinterpret_cast<std::uintptr_t>(&x);
    std::size_t end = 0;  // of the last member seen
    for_each_leaf(x, [&](void const* address, std::size_t bytes, bool) {
        std::size_t const at = reinterpret_cast<std::uintptr_t>(address) - start;
        std::memset(copy + end, 0, at - end);
        end = at + bytes;
    });
    std::memset(copy + end, 0, sizeof(T) - end);
}

/// Refuses a value one of whose bools is neither 0 nor 1. No bool is read as one before.
template <class T>
void check_bools(Reader const& reader, T const& x) {
    if constexpr (has_bools<T>) {
        for_each_leaf(x, [&](void const* address, std::size_t, bool is_bool) {
            if (is_bool && *static_cast<unsigned char const*>(address) > 1) {
                reader.fail("a bool is neither 0 nor 1");
            }
        });
    }
}

/// Writes so many values as they lie in memory.
template <class T>
inline void put_bytes(Writer& writer, T const* first, std::size_t count) {
    if (count == 0) {
        return;
    }
    std::byte* const copy = writer.claim(count * sizeof(T));
    std::memcpy(copy, first, count * sizeof(T));
    if constexpr (has_padding<T>) {
        if (!writer.in_tree()) {
            for (std::size_t i = 0; i < count; ++i) {
                clear_padding(copy + i * sizeof(T), first[i]);
            }
        }
    }
}

/// Reads a value that lies as it was in memory.
template <class T>
inline T get_bytes(Reader& reader) {
    if constexpr (is_boolean<T>()) {
        unsigned char byte = 0;
        reader.raw(&byte, 1);
        if (byte > 1) {
            reader.fail("a bool is neither 0 nor 1");
        }
        return static_cast<T>(byte != 0);
    } else {
        std::array<std::byte, sizeof(T)> bytes;
        reader.raw(bytes.data(), bytes.size());
        auto const value = std::bit_cast<T>(bytes);
        check_bools(reader, value);
        return value;
    }
}

}  // namespace multiprocessing::detail

namespace multiprocessing {

template <class T>
void pickle_bytewise<T>::dump(Writer& writer, T const& value) {
    detail::put_bytes(writer, std::addressof(value), 1);
}

template <class T>
T pickle_bytewise<T>::load(Reader& reader) {
    return detail::get_bytes<T>(reader);
}

}  // namespace multiprocessing
