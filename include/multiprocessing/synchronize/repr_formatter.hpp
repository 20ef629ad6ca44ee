// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/repr_formatter.hpp — {} and {:r} where str and repr are one text.
// Layer 2 (synchronization). Mirrors `object.__str__`.
#pragma once

#include <fmt/format.h>

#include <algorithm>

namespace multiprocessing::detail {

/// Base of the formatters of such types; they have `std::string repr() const`.
struct ReprFormatter {
    constexpr auto parse(fmt::format_parse_context& context) {
        auto at = context.begin();
        if (at != context.end() && *at == 'r') ++at;
        return at;
    }
    // In a container fmt asks for this; a repr is the same there.
    constexpr void set_debug_format(bool = true) {}

    template <class T, class Context>
    auto format(T const& value, Context& context) const {
        auto const text = value.repr();
        return std::copy(text.begin(), text.end(), context.out());
    }
};

}  // namespace multiprocessing::detail
