// SPDX-License-Identifier: MIT
// multiprocessing/shared/containers.hpp — containers that lie in a Segment.
// Layer 4 (shared state). Mirrors no Python file.
#pragma once

#include <boost/container/map.hpp>
#include <boost/container/scoped_allocator.hpp>
#include <boost/container/set.hpp>
#include <boost/container/string.hpp>
#include <boost/container/vector.hpp>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/indexes/iset_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/offset_ptr.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>

#include <functional>
#include <string>
#include <utility>

namespace multiprocessing::shared {

namespace detail {

/// Without locks: a Segment lets one in at a time.
using Image = boost::interprocess::basic_managed_external_buffer<
    char,
    boost::interprocess::rbtree_best_fit<boost::interprocess::null_mutex_family,
                                         boost::interprocess::offset_ptr<void>>,
    boost::interprocess::iset_index>;

}  // namespace detail

/// Hands itself on to the elements: a string in a vector lies in the same segment.
template <class T>
using allocator = boost::container::scoped_allocator_adaptor<
    boost::interprocess::allocator<T, detail::Image::segment_manager>>;

template <class T>
using vector = boost::container::vector<T, allocator<T>>;
using string = boost::container::basic_string<char, std::char_traits<char>, allocator<char>>;
template <class K, class V, class Less = std::less<>>
using map = boost::container::map<K, V, Less, allocator<std::pair<K const, V>>>;
template <class K, class Less = std::less<>>
using set = boost::container::set<K, Less, allocator<K>>;

}  // namespace multiprocessing::shared
