// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/tuple.hpp — pairs and tuples.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing {

template <class A, class B>
struct pickle<std::pair<A, B>> {
    using parts = detail::Types<A, B>;
    static constexpr std::uint64_t kind = detail::fnv1a("tuple");
    static constexpr std::size_t min_size = detail::sum_min_sizes(parts{});

    static void dump(Writer& writer, std::pair<A, B> const& pair) {
        detail::put(writer, pair.first);
        detail::put(writer, pair.second);
    }

    static std::pair<A, B> load(Reader& reader) {
        return std::pair<A, B>{detail::get<std::remove_cv_t<A>>(reader),
                               detail::get<std::remove_cv_t<B>>(reader)};
    }
};

template <class... T>
struct pickle<std::tuple<T...>> {
    using parts = detail::Types<T...>;
    static constexpr std::uint64_t kind = detail::fnv1a("tuple");
    static constexpr std::size_t min_size = detail::sum_min_sizes(parts{});

    static void dump([[maybe_unused]] Writer& writer, std::tuple<T...> const& tuple) {
        std::apply([&](T const&... element) { (detail::put(writer, element), ...); }, tuple);
    }

    // A braced list is read from left to right.
    static std::tuple<T...> load([[maybe_unused]] Reader& reader) {
        return std::tuple<T...>{detail::get<std::remove_cv_t<T>>(reader)...};
    }
};

}  // namespace multiprocessing
