// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/set.hpp — set, multiset and the unordered ones.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/std/elements.hpp>
#include <multiprocessing/pickle/types.hpp>

#include <cstddef>
#include <cstdint>

namespace multiprocessing {
namespace detail {

// Known by their shape: <set> and <unordered_set> are not included for those who use none.
template <class T>
concept SetLike = StdType<T> && !requires {
    typename T::mapped_type;
}
&&requires(T& set) {
    typename T::key_type;
    set.emplace_hint(set.end());
    set.get_allocator();
};

}  // namespace detail

/// As maps are: in the order of iteration, and no element twice where it must not be.
template <class T>
    requires detail::SetLike<T>
struct pickle<T> {
    using Key = typename T::key_type;
    using parts = detail::Types<Key>;
    static constexpr std::uint64_t kind = detail::fnv1a("set");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, T const& set) {
        writer.write_size(set.size());
        for (Key const& key : set) {
            detail::put_element(writer, key);
        }
    }

    static T load(Reader& reader) {
        std::size_t const count = reader.read_count(detail::element_bytes<Key>);
        T set;
        for (std::size_t i = 0; i < count; ++i) {
            detail::get_mark<Key>(reader);
            set.emplace_hint(set.end(), detail::get<Key>(reader));
            if (set.size() != i + 1) {
                reader.fail("a set has one element twice");
            }
        }
        return set;
    }
};

}  // namespace multiprocessing
