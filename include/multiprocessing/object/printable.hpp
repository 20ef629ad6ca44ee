// SPDX-License-Identifier: MIT
// multiprocessing/object/printable.hpp — UTF-8 with lone surrogates, and what of it repr shows.
// Layer 3 (object). Mirrors str.isprintable and the "surrogatepass" error handler of Python.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace multiprocessing::detail {

/// A character and how many bytes it takes.
struct CodePoint {
    std::uint32_t value;
    std::size_t size;
};

/// The first character of a text; none if that is no UTF-8. A lone surrogate is a character of
/// three bytes, as in Python's strings.
inline std::optional<CodePoint> first_code_point(std::string_view text) {
    if (text.empty()) return std::nullopt;
    auto const lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return CodePoint{lead, 1};
    std::size_t const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return std::nullopt;
    std::uint32_t value = lead & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        auto const next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return std::nullopt;
        value = (value << 6) | (next & 0x3fu);
    }
    if ((size == 3 && value < 0x800) || (size == 4 && (value < 0x10000 || value > 0x10ffff)))
        return std::nullopt;
    return CodePoint{value, size};
}

inline bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            ++at;
            continue;
        }
        auto const next = first_code_point(text.substr(at));
        if (!next) return false;
        at += next->size;
    }
    return true;
}

inline void append_utf8(std::string& text, std::uint32_t value) {
    auto const low = [&](int shift) {
        text += static_cast<char>(0x80 | ((value >> shift) & 0x3f));
    };
    if (value < 0x80) {
        text += static_cast<char>(value);
    } else if (value < 0x800) {
        text += static_cast<char>(0xc0 | (value >> 6));
        low(0);
    } else if (value < 0x10000) {
        text += static_cast<char>(0xe0 | (value >> 12));
        low(6);
        low(0);
    } else {
        text += static_cast<char>(0xf0 | (value >> 18));
        low(12);
        low(6);
        low(0);
    }
}

/// How many characters a text has; bytes that are no UTF-8 count as one each.
inline std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) {
        auto const next = first_code_point(text.substr(at));
        at += next ? next->size : 1;
    }
    return count;
}

/// Whether repr shows a character as it is: no control, format, surrogate, private or space
/// character but ' '. Gaps of fewer than 128 unassigned characters count as printable, since every
/// version of Unicode fills some.
inline bool is_printable(std::uint32_t value) {
    struct Range {
        std::uint32_t first, last;
    };
    static constexpr Range hidden[] = {
        {0x0, 0x1f},         {0x7f, 0xa0},        {0xad, 0xad},        {0x600, 0x605},
        {0x61c, 0x61c},      {0x6dd, 0x6dd},      {0x70f, 0x70f},      {0x890, 0x891},
        {0x8e2, 0x8e2},      {0x1680, 0x1680},    {0x180e, 0x180e},    {0x2000, 0x200f},
        {0x2028, 0x202f},    {0x205f, 0x206f},    {0x3000, 0x3000},    {0xd7fc, 0xf8ff},
        {0xfeff, 0xfeff},    {0xfff0, 0xfffb},    {0x101fe, 0x1027f},  {0x10d3a, 0x10e5f},
        {0x110bd, 0x110bd},  {0x110cd, 0x110cd},  {0x11375, 0x113ff},  {0x114da, 0x1157f},
        {0x11747, 0x117ff},  {0x11af9, 0x11bff},  {0x11daa, 0x11edf},  {0x11ef9, 0x11faf},
        {0x12544, 0x12f8f},  {0x13430, 0x1343f},  {0x14647, 0x167ff},  {0x16b90, 0x16e3f},
        {0x18d09, 0x1afef},  {0x1b2fc, 0x1bbff},  {0x1bca0, 0x1ceff},  {0x1d173, 0x1d17a},
        {0x1d246, 0x1d2df},  {0x1d379, 0x1d3ff},  {0x1dab0, 0x1deff},  {0x1df1f, 0x1dfff},
        {0x1e02b, 0x1e0ff},  {0x1e150, 0x1e28f},  {0x1e300, 0x1e7df},  {0x1e960, 0x1ec70},
        {0x1ed3e, 0x1edff},  {0x1eef2, 0x1efff},  {0x1f266, 0x1f2ff},  {0x1fbfa, 0x1ffff},
        {0x2ebe1, 0x2f7ff},  {0x2fa1e, 0x2ffff},  {0x3134b, 0xe00ff},  {0xe01f0, 0x10ffff},
    };
    auto const* const range = std::lower_bound(
        std::begin(hidden), std::end(hidden), value,
        [](Range const& candidate, std::uint32_t wanted) { return candidate.last < wanted; });
    return range == std::end(hidden) || value < range->first;
}

}  // namespace multiprocessing::detail
