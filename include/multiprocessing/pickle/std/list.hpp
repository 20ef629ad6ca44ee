// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/list.hpp — deque, list, forward_list.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/std/elements.hpp>
#include <multiprocessing/pickle/types.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace multiprocessing {
namespace detail {

// Known by their shape: <deque> and <list> are not included for those who do not use them.
template <class T>
concept ListLike = StdType<T> && requires(T& list, typename T::value_type&& element) {
    list.push_back(static_cast<typename T::value_type&&>(element));
    list.pop_back();
    list.get_allocator();
};

template <class T>
concept ForwardListLike = StdType<T> && requires(T& list) {
    list.before_begin();
    list.get_allocator();
};

}  // namespace detail

template <class T>
    requires detail::ListLike<T>
struct pickle<T> {
    using Element = typename T::value_type;
    using parts = detail::Types<Element>;
    static constexpr std::uint64_t kind = detail::fnv1a("list");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, T const& list) {
        writer.write_size(list.size());
        for (Element const& element : list) {
            detail::put_element(writer, element);
        }
    }

    static T load(Reader& reader) {
        std::size_t const count = reader.read_count(detail::element_bytes<Element>);
        T list;
        for (std::size_t i = 0; i < count; ++i) {
            detail::get_mark<Element>(reader);
            list.push_back(detail::get<Element>(reader));
        }
        return list;
    }
};

template <class T>
    requires detail::ForwardListLike<T>
struct pickle<T> {
    using Element = typename T::value_type;
    using parts = detail::Types<Element>;
    static constexpr std::uint64_t kind = detail::fnv1a("list");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, T const& list) {
        writer.write_size(static_cast<std::uint64_t>(std::distance(list.begin(), list.end())));
        for (Element const& element : list) {
            detail::put_element(writer, element);
        }
    }

    static T load(Reader& reader) {
        std::size_t const count = reader.read_count(detail::element_bytes<Element>);
        T list;
        auto last = list.before_begin();
        for (std::size_t i = 0; i < count; ++i) {
            detail::get_mark<Element>(reader);
            last = list.insert_after(last, detail::get<Element>(reader));
        }
        return list;
    }
};

}  // namespace multiprocessing
