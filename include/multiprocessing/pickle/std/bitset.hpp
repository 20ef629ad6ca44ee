// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/bitset.hpp — bits of a fixed number.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/types.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>

namespace multiprocessing {
namespace detail {

// Known by its shape, so that <bitset> is not included for those who do not use it.
template <class T>
concept BitsetLike = StdType<T> && requires(T& bits) {
    typename T::reference;
    bits.to_ullong();
    bits.flip(0);
};

}  // namespace detail

/// Eight to a byte, the first in the lowest bit; the bits that are left over are 0.
template <class T>
    requires detail::BitsetLike<T>
struct pickle<T> {
    static constexpr std::size_t length = T{}.size();
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a(length, detail::fnv1a("bitset"));
    static constexpr std::size_t min_size = (length + 7) / 8;

    static void dump(Writer& writer, T const& bits) {
        std::byte* const to = writer.claim(min_size);
        for (std::size_t byte = 0; byte < min_size; ++byte) {
            unsigned value = 0;
            for (std::size_t i = 8 * byte; i < 8 * byte + 8 && i < length; ++i) {
                value |= (bits[i] ? 1u : 0u) << (i % 8);
            }
            to[byte] = static_cast<std::byte>(value);
        }
    }

    static T load(Reader& reader) {
        auto const bytes = reader.raw(min_size);
        if (length % 8 != 0 && std::to_integer<unsigned>(bytes.back()) >> (length % 8) != 0) {
            reader.fail("there are bits behind the end of a bitset");
        }
        T bits;
        for (std::size_t i = 0; i < length; ++i) {
            bits[i] = (std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8) & 1u) != 0;
        }
        return bits;
    }
};

}  // namespace multiprocessing
