// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/text.hpp — shared values as Python's ctypes would show them.
// Layer 4 (shared state). Mirrors the reprs of Lib/ctypes.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/object/real_text.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace multiprocessing::detail {

/// The name of the ctypes class, or T's own.
template <class T>
constexpr std::string_view ctypes_name() {
    if constexpr (std::is_same_v<T, bool>)
        return "c_bool";
    else if constexpr (std::is_same_v<T, char>)
        return "c_char";
    else if constexpr (std::is_same_v<T, signed char>)
        return "c_byte";
    else if constexpr (std::is_same_v<T, unsigned char>)
        return "c_ubyte";
    else if constexpr (std::is_same_v<T, short>)
        return "c_short";
    else if constexpr (std::is_same_v<T, unsigned short>)
        return "c_ushort";
    else if constexpr (std::is_same_v<T, int>)
        return "c_int";
    else if constexpr (std::is_same_v<T, unsigned>)
        return "c_uint";
    else if constexpr (std::is_same_v<T, long> || std::is_same_v<T, long long>)
        return "c_long";
    else if constexpr (std::is_same_v<T, unsigned long> || std::is_same_v<T, unsigned long long>)
        return "c_ulong";
    else if constexpr (std::is_same_v<T, float>)
        return "c_float";
    else if constexpr (std::is_same_v<T, double>)
        return "c_double";
    else if constexpr (std::is_same_v<T, long double>)
        return "c_longdouble";
    else
        return type_name<T>();
}

/// One value as Python's repr shows it; "..." for a type that cannot be formatted.
template <class T>
std::string value_repr(T const& value) {
    if constexpr (std::is_same_v<T, bool>) {
        return value ? "True" : "False";
    } else if constexpr (std::is_same_v<T, char>) {
        auto const byte = static_cast<unsigned char>(value);
        if (value == '\'') return "b\"'\"";
        if (value == '\\') return "b'\\\\'";
        return byte >= 0x20 && byte < 0x7f ? fmt::format("b'{}'", value)
                                           : fmt::format("b'\\x{:02x}'", byte);
    } else if constexpr (std::is_integral_v<T>) {
        return fmt::format("{}", +value);
    } else if constexpr (std::is_floating_point_v<T>) {
        return real_repr(value);
    } else if constexpr (fmt::is_formattable<T>::value) {
        return fmt::format("{}", value);
    } else {
        return "...";
    }
}

/// `c_int(5)`.
template <class T>
std::string raw_repr(T const& value) {
    return fmt::format("{}({})", ctypes_name<T>(), value_repr(value));
}

}  // namespace multiprocessing::detail
