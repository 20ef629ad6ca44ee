// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/optional.hpp — values that may be absent.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace multiprocessing {
namespace detail {

/// Reads whether a value follows.
inline bool get_presence(Reader& reader) {
    auto const byte = std::to_integer<unsigned>(reader.raw(1)[0]);
    if (byte > 1) {
        reader.fail("whether a value follows must be said with 0 or 1");
    }
    return byte == 1;
}

}  // namespace detail

template <class T>
struct pickle<std::optional<T>> {
    using parts = detail::Types<T>;
    static constexpr std::uint64_t kind = detail::fnv1a("optional");
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, std::optional<T> const& value) {
        *writer.claim(1) = static_cast<std::byte>(value.has_value());
        if (value) {
            detail::put(writer, *value);
        }
    }

    static std::optional<T> load(Reader& reader) {
        if (!detail::get_presence(reader)) {
            return std::nullopt;
        }
        return std::optional<T>(std::in_place, detail::get<std::remove_cv_t<T>>(reader));
    }
};

template <>
struct pickle<std::nullopt_t> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a("nullopt");
    static constexpr std::size_t min_size = 0;
    static void dump(Writer&, std::nullopt_t const&) {}
    static std::nullopt_t load(Reader&) { return std::nullopt; }
};

}  // namespace multiprocessing
