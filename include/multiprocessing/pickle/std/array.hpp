// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/array.hpp — arrays of a fixed length.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/bytewise.hpp>
#include <multiprocessing/pickle/traits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace multiprocessing {

template <class T, std::size_t N>
struct pickle<std::array<T, N>> {
    using Array = std::array<T, N>;
    using parts = detail::Types<T>;
    static constexpr std::uint64_t kind = detail::fnv1a(N, detail::fnv1a("array"));
    static constexpr std::size_t min_size = N * detail::min_size<T>;
    static constexpr bool bytewise = N != 0 && detail::is_bytewise<T>;

    static void dump(Writer& writer, Array const& array) {
        if constexpr (bytewise) {
            detail::put_bytes(writer, &array, 1);
        } else {
            for (T const& element : array) {
                detail::put(writer, element);
            }
        }
    }

    static Array load(Reader& reader) {
        if constexpr (bytewise) {
            return detail::get_bytes<Array>(reader);
        } else if constexpr (std::is_default_constructible_v<T> && std::is_move_assignable_v<T>) {
            Array array{};
            for (T& element : array) {
                element = detail::get<T>(reader);
            }
            return array;
        } else {
            return in_place(reader, std::make_index_sequence<N>{});
        }
    }

private:
    template <std::size_t... I>
    static Array in_place(Reader& reader, std::index_sequence<I...>) {
        return Array{{(static_cast<void>(I), detail::get<T>(reader))...}};
    }
};

}  // namespace multiprocessing
