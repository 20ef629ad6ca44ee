// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/block.hpp — many values of one bytewise type, side by side.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/pickle/bytewise.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace multiprocessing::detail {

/// From so many bytes on, a block is aligned within its message, so that it can be read in place;
/// below, the copy costs less than the question.
inline constexpr std::size_t aligned_block_bytes = 512;

template <class T>
consteval std::size_t block_alignment() {
    return alignof(T) < 16 ? alignof(T) : 16;
}

template <class T>
constexpr bool is_aligned_block(std::size_t count) {
    return block_alignment<T>() > 1 && count * sizeof(T) >= aligned_block_bytes;
}

/// Writes the bytes of so many values. In front of a large block stand the number of bytes that are
/// skipped and those bytes.
template <class T>
void put_block(Writer& writer, T const* first, std::size_t count) {
    if (is_aligned_block<T>(count)) {
        constexpr std::size_t alignment = block_alignment<T>();
        std::size_t const skip = (alignment - (writer.size() + 1) % alignment) % alignment;
        std::byte* const pad = writer.claim(1 + skip);
        std::memset(pad, 0, 1 + skip);
        *pad = static_cast<std::byte>(skip);
    }
    put_bytes(writer, first, count);
}

/// Replaces what `sequence` holds by `count` values. They are copied once where the message lies as
/// it was written; elsewhere the memory is first made, then filled.
template <class T, class Sequence>
void get_block(Reader& reader, Sequence& sequence, std::size_t count) {
    if (is_aligned_block<T>(count)) {
        auto const skip = static_cast<std::size_t>(reader.raw(1)[0]);
        static_cast<void>(reader.raw(skip));
    }
    if (count > reader.remaining() / sizeof(T)) {
        reader.fail("a block is longer than what remains");
    }
    if (count == 0) {
        return;
    }
    std::byte const* const bytes = reader.raw(count * sizeof(T)).data();
    if (reinterpret_cast<std::uintptr_t>(bytes) % alignof(T) == 0) {
        auto const* const first = reinterpret_cast<T const*>(bytes);
        sequence.assign(first, first + count);
    } else if constexpr (std::is_default_constructible_v<T> && std::is_copy_assignable_v<T>) {
        sequence.resize(count);
        std::memcpy(static_cast<void*>(sequence.data()), bytes, count * sizeof(T));
    } else {
        Reader again({bytes, count * sizeof(T)});
        sequence.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            sequence.push_back(get_bytes<T>(again));
        }
    }
    if constexpr (has_bools<T>) {
        for (auto const& value : sequence) {
            check_bools(reader, value);
        }
    }
}

}  // namespace multiprocessing::detail
