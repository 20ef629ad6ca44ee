// SPDX-License-Identifier: MIT
// multiprocessing/detail/type_name.hpp — the name of a type, as the compiler spells it.
// Layer 0 (base). Mirrors `type.__qualname__`.
#pragma once

#include <cstddef>
#include <string_view>

namespace multiprocessing::detail {

// The return type is spelled `auto` so that it does not stand in the text that is cut below.
template <class T>
consteval auto signature_of() {
#if defined(_MSC_VER) && !defined(__clang__)
    return std::string_view(__FUNCSIG__);
#else
    return std::string_view(__PRETTY_FUNCTION__);
#endif
}

inline constexpr std::size_t type_name_prefix = signature_of<double>().find("double");
inline constexpr std::size_t type_name_suffix =
    signature_of<double>().size() - type_name_prefix - std::string_view("double").size();

/// The name of T. Compilers spell it differently; one program image has one spelling.
template <class T>
constexpr std::string_view type_name() noexcept {
    constexpr std::string_view signature = signature_of<T>();
    return signature.substr(type_name_prefix,
                            signature.size() - type_name_prefix - type_name_suffix);
}

}  // namespace multiprocessing::detail
