// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/elements.hpp — elements of containers, one after the other.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <utility>

namespace multiprocessing::detail {

/// Whether so many parts together may take no bytes at all. Then one byte stands in front of each
/// element, so that n elements always take n bytes: a short message cannot ask for many.
template <class... T>
inline constexpr bool needs_mark = (min_size<T> + ... + std::size_t{0}) == 0;

template <class... T>
inline constexpr std::size_t element_bytes = needs_mark<T...>
                                                 ? 1
                                                 : (min_size<T> + ... + std::size_t{0});

template <class... T>
void put_element(Writer& writer, T const&... part) {
    if constexpr (needs_mark<T...>) {
        *writer.claim(1) = std::byte{0};
    }
    (put(writer, part), ...);
}

template <class... T>
void get_mark(Reader& reader) {
    if constexpr (needs_mark<T...>) {
        static_cast<void>(reader.raw(1));
    }
}

/// Becomes the value that is read next, in the place where it shall stand.
template <class T>
struct Next {
    Reader& reader;
    operator T() { return get<T>(reader); }
};

/// Reads an element to the end of a vector, without a move where no constructor of T could take a
/// Next for something else.
template <class T, class Vector>
void append(Reader& reader, Vector& vector) {
    if constexpr (PlainAggregate<T>) {
        vector.emplace_back(Next<T>{reader});
    } else {
        vector.push_back(get<T>(reader));
    }
}

/// How many elements to make room for at once. A few bytes can stand for a large element, so the
/// memory that is taken before an element is seen is bounded by the message's length.
template <class T>
std::size_t trusted_count(Reader const& reader, std::size_t count) {
    std::size_t const trusted = reader.remaining() * 64 / sizeof(T) + 1;
    return count < trusted ? count : trusted;
}

}  // namespace multiprocessing::detail
