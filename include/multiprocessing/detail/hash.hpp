// SPDX-License-Identifier: MIT
// multiprocessing/detail/hash.hpp — a hash that is the same in every process and at compile time.
// Layer 0 (base). Mirrors no Python file.
#pragma once

#include <cstdint>
#include <string_view>

namespace multiprocessing::detail {

inline constexpr std::uint64_t fnv1a_offset = 0xcbf29ce484222325u;
inline constexpr std::uint64_t fnv1a_prime = 0x00000100000001b3u;

/// FNV-1a of the characters, 64 bits. `seed` goes on from an earlier text.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t seed = fnv1a_offset) noexcept {
    for (char const c : text) {
        seed = (seed ^ static_cast<unsigned char>(c)) * fnv1a_prime;
    }
    return seed;
}

/// FNV-1a of a number's bytes, lowest first, going on from `seed`.
constexpr std::uint64_t fnv1a(std::uint64_t value, std::uint64_t seed) noexcept {
    for (int shift = 0; shift < 64; shift += 8) {
        seed = (seed ^ ((value >> shift) & 0xffu)) * fnv1a_prime;
    }
    return seed;
}

}  // namespace multiprocessing::detail
