// SPDX-License-Identifier: MIT
// multiprocessing/pickle/types.hpp — lists of types and questions about their names.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/type_name.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace multiprocessing::detail {

template <class... T>
struct Types {
    static constexpr std::size_t count = sizeof...(T);
};

/// Whether T is one of the types, and how far from the front it stands.
template <class T, class... Among>
inline constexpr bool is_among = (std::is_same_v<T, Among> || ...);

template <class T, class First, class... Rest>
consteval std::size_t index_among() {
    if constexpr (std::is_same_v<T, First>) {
        return 0;
    } else {
        return 1 + index_among<T, Rest...>();
    }
}

/// A class of the standard library itself. Its containers are recognised by their shape, so that
/// <map>, <list>, <complex> ... need not be included here; the name keeps a user's class that is
/// derived from one of them, and has more state than it shows, from being taken for one.
template <class T>
concept StdType = std::is_class_v<T> && type_name<T>()
.starts_with("std::");

template <class T>
consteval bool is_lambda() {
    constexpr std::string_view name = type_name<T>();
    return name.find("<lambda(") != name.npos || name.find("(lambda at ") != name.npos ||
           name.find("'lambda") != name.npos;
}

}  // namespace multiprocessing::detail
