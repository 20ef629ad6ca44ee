// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/map.hpp — map, multimap and the unordered ones.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/std/elements.hpp>
#include <multiprocessing/pickle/types.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace multiprocessing {
namespace detail {

// Known by their shape: <map> and <unordered_map> are not included for those who use none.
template <class T>
concept MapLike = StdType<T> && requires(T& map) {
    typename T::mapped_type;
    map.emplace_hint(map.end());
    map.get_allocator();
};

}  // namespace detail

/// In the order of iteration, so an ordered map is built again in linear time. A comparison or hash
/// function is made anew. A key that comes twice where it must not is an `UnpicklingError`.
template <class T>
    requires detail::MapLike<T>
struct pickle<T> {
    using Key = typename T::key_type;
    using Mapped = typename T::mapped_type;
    using parts = detail::Types<Key, Mapped>;
    static constexpr std::uint64_t kind = detail::fnv1a("map");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, T const& map) {
        writer.write_size(map.size());
        for (auto const& [key, mapped] : map) {
            detail::put_element(writer, key, mapped);
        }
    }

    static T load(Reader& reader) {
        std::size_t const count = reader.read_count(detail::element_bytes<Key, Mapped>);
        T map;
        for (std::size_t i = 0; i < count; ++i) {
            detail::get_mark<Key, Mapped>(reader);
            Key key = detail::get<Key>(reader);
            map.emplace_hint(map.end(), std::move(key), detail::get<Mapped>(reader));
            if (map.size() != i + 1) {
                reader.fail("a map has one key twice");
            }
        }
        return map;
    }
};

}  // namespace multiprocessing
