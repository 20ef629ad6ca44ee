// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/arithmetic.hpp — numbers, characters, bools and enums.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/bytewise.hpp>
#include <multiprocessing/pickle/traits.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace multiprocessing {
namespace detail {

#if defined(__SIZEOF_INT128__)
__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;
template <class T>
concept WideInteger = std::same_as<T, Int128> || std::same_as<T, Uint128>;
#else
template <class T>
concept WideInteger = false;
#endif

template <class T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T> || WideInteger<T>;

template <class T>
concept Character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

/// `long` and `long long` are the same here; a character and a number of its size are not.
template <Scalar T>
consteval std::uint64_t scalar_kind() {
    if constexpr (std::is_enum_v<T>) {
        return fnv1a(scalar_kind<std::underlying_type_t<T>>(), fnv1a("enum"));
    } else if constexpr (std::is_same_v<T, bool>) {
        return fnv1a("bool");
    } else if constexpr (std::is_floating_point_v<T>) {
        return fnv1a(static_cast<std::uint64_t>(std::numeric_limits<T>::digits), fnv1a("float"));
    } else {
        std::uint64_t const size = sizeof(T) * 2 + (static_cast<T>(-1) < static_cast<T>(0) ? 1 : 0);
        return fnv1a(size, fnv1a(Character<T> ? "character" : "integer"));
    }
}

}  // namespace detail

template <detail::Scalar T>
struct pickle<T> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::scalar_kind<T>();
    static constexpr std::size_t min_size = sizeof(T);
    static constexpr bool bytewise = true;
    static void dump(Writer& writer, T const& value) { detail::put_bytes(writer, &value, 1); }
    static T load(Reader& reader) { return detail::get_bytes<T>(reader); }
};

}  // namespace multiprocessing
