// SPDX-License-Identifier: MIT
// multiprocessing/object/real_text.hpp — a floating-point number as Python shows it.
// Layer 3 (object). Mirrors float.__repr__.
#pragma once

#include <cmath>
#include <concepts>
#include <string>

#include <fmt/format.h>

namespace multiprocessing::detail {

/// The fewest digits that read back as the same number; an exponent from 1e16 and below 1e-4.
template <std::floating_point T>
std::string real_digits(T value) {
    return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

/// As real_digits; a float that happens to be whole still reads as a float.
template <std::floating_point T>
std::string real_repr(T value) {
    auto text = real_digits(value);
    if (text.find_first_of(".en") == text.npos) text += ".0";  // inf and nan have an n
    return text;
}

}  // namespace multiprocessing::detail
