// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/string.hpp — strings of every character.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/std/arithmetic.hpp>
#include <multiprocessing/pickle/std/block.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace multiprocessing {

/// The bytes are any bytes; that they are UTF-8 is nobody's promise.
template <class C, class Traits, class Allocator>
struct pickle<std::basic_string<C, Traits, Allocator>> {
    using String = std::basic_string<C, Traits, Allocator>;
    using parts = detail::Types<C>;
    static constexpr std::uint64_t kind = detail::fnv1a("string");
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, String const& text) {
        writer.write_size(text.size());
        if constexpr (sizeof(C) == 1) {
            writer.raw(text.data(), text.size());
        } else {
            detail::put_block(writer, text.data(), text.size());
        }
    }

    static String load(Reader& reader) {
        std::size_t const length = reader.read_count(sizeof(C));
        if constexpr (sizeof(C) == 1) {
            auto const bytes = reader.raw(length);
            return String(reinterpret_cast<C const*>(bytes.data()), length);
        } else {
            String text;
            detail::get_block<C>(reader, text, length);
            return text;
        }
    }
};

}  // namespace multiprocessing
