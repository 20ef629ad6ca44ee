// SPDX-License-Identifier: MIT
// multiprocessing/object/joined.hpp — texts one after the other, and numbers in hex.
// Layer 3 (object). Mirrors str.join of Python.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace multiprocessing::detail {

/// Compiles faster than a fmt::format, which every program that includes this would pay for.
inline std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (auto const part : parts) text += part;
    return text;
}

/// As many hex digits, with zeros in front.
inline void append_hex(std::string& text, std::uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        text += "0123456789abcdef"[(value >> shift) & 0xf];
}

}  // namespace multiprocessing::detail
