// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/path.hpp — filesystem::path.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/string.hpp>
#include <multiprocessing/pickle/types.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>

namespace multiprocessing {
namespace detail {

// Known by its shape: <filesystem> is not included for those who do not use it.
template <class T>
concept PathLike = StdType<T> && requires(T const& path) {
    typename T::string_type;
    path.native();
    path.lexically_normal();
};

}  // namespace detail

/// In the spelling of this system.
template <class T>
    requires detail::PathLike<T>
struct pickle<T> {
    using Text = typename T::string_type;
    using parts = detail::Types<Text>;
    static constexpr std::uint64_t kind = detail::fnv1a("path");
    static constexpr std::size_t min_size = 1;
    static void dump(Writer& writer, T const& path) { detail::put(writer, path.native()); }
    static T load(Reader& reader) { return T(detail::get<Text>(reader)); }
};

}  // namespace multiprocessing
