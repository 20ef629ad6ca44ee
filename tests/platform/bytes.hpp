// SPDX-License-Identifier: MIT
// tests/platform/bytes.hpp — sizes, and what fresh memory holds.
#pragma once

#include <algorithm>
#include <cstddef>

namespace test {

inline constexpr std::size_t MiB = std::size_t{1} << 20;
inline constexpr std::size_t GiB = std::size_t{1} << 30;

inline bool all_zero(std::byte const* data, std::size_t bytes) {
    return std::all_of(data, data + bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace test
