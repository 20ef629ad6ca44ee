// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/vector.hpp — vectors.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/std/arithmetic.hpp>
#include <multiprocessing/pickle/std/block.hpp>
#include <multiprocessing/pickle/std/elements.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace multiprocessing {

template <class T, class Allocator>
struct pickle<std::vector<T, Allocator>> {
    using Vector = std::vector<T, Allocator>;
    using parts = detail::Types<T>;
    static constexpr std::uint64_t kind = detail::fnv1a("vector");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = !detail::is_bytewise<T>;

    static void dump(Writer& writer, Vector const& vector) {
        writer.write_size(vector.size());
        if constexpr (detail::is_bytewise<T>) {
            detail::put_block(writer, vector.data(), vector.size());
        } else {
            for (T const& element : vector) {
                detail::put_element(writer, element);
            }
        }
    }

    static Vector load(Reader& reader) {
        std::size_t const count = reader.read_count(detail::element_bytes<T>);
        Vector vector;
        if constexpr (detail::is_bytewise<T>) {
            detail::get_block<T>(reader, vector, count);
        } else {
            vector.reserve(detail::trusted_count<T>(reader, count));
            for (std::size_t i = 0; i < count; ++i) {
                detail::get_mark<T>(reader);
                detail::append<T>(reader, vector);
            }
        }
        return vector;
    }
};

/// Eight to a byte, the first in the lowest bit.
template <class Allocator>
struct pickle<std::vector<bool, Allocator>> {
    using Vector = std::vector<bool, Allocator>;
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a("vector of bool");
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, Vector const& vector) {
        writer.write_size(vector.size());
        std::size_t const bytes = (vector.size() + 7) / 8;
        std::byte* const to = writer.claim(bytes);
        for (std::size_t byte = 0; byte < bytes; ++byte) {
            unsigned bits = 0;
            for (std::size_t i = 8 * byte; i < 8 * byte + 8 && i < vector.size(); ++i) {
                bits |= (vector[i] ? 1u : 0u) << (i % 8);
            }
            to[byte] = static_cast<std::byte>(bits);
        }
    }

    static Vector load(Reader& reader) {
        std::uint64_t const count = reader.read_size();
        if (count / 8 > reader.remaining()) {
            reader.fail("a vector of bool is longer than what remains");
        }
        auto const bits = reader.raw(static_cast<std::size_t>((count + 7) / 8));
        if (count % 8 != 0 && std::to_integer<unsigned>(bits.back()) >> (count % 8) != 0) {
            reader.fail("there are bits behind the end of a vector of bool");
        }
        Vector vector(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < vector.size(); ++i) {
            vector[i] = (std::to_integer<unsigned>(bits[i / 8]) >> (i % 8) & 1u) != 0;
        }
        return vector;
    }
};

}  // namespace multiprocessing
