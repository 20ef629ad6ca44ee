// SPDX-License-Identifier: MIT
// multiprocessing/platform/named_memory.hpp — memory that any program may map by its name.
// Layer 1 (platform). Mirrors `_posixshmem` and the mmap calls of
// Lib/multiprocessing/shared_memory.py.
#pragma once

// NamedMemory      owns a mapping; moves, does not copy.
// create           a new name and its memory, all zero; the name must not exist: FileExistsError.
//                  All pages are taken at once, so that touching one later cannot fail: MemoryError
//                  where they are not to be had (RLIMIT_FSIZE, RLIMIT_AS, the control group, a full
//                  /dev/shm), and then the name does not exist.
//                  POSIX: shm_open, mode 0600, as large as asked.  Windows: a section; its size
//                  is seen by others rounded up to pages.
// attach           maps what has that name, wholly. FileNotFoundError; MemoryError.
// unlink_memory    the name is gone, the memory lives as long as somebody maps it. False if there
//                  was none.  Windows: true, does nothing; both go with the last mapping.
// memory_names_persist   whether a name outlives the processes that use it.  Windows: false.
// A name has no slash and no NUL (the caller's business), and is the name that CPython knows.

#include <multiprocessing/platform/detect.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(named_memory)

namespace multiprocessing::platform {

template <class T>
concept NamedMemoryApi =
    std::movable<T> && !std::copyable<T> &&
    requires(T const& view, std::string const& name, std::size_t bytes) {
        { T::create(name, bytes) } -> std::same_as<T>;
        { T::attach(name) } -> std::same_as<T>;
        { view.data() } noexcept -> std::same_as<std::byte*>;
        { view.size() } noexcept -> std::same_as<std::size_t>;
    };
static_assert(NamedMemoryApi<NamedMemory>,
              "platform/<os>/named_memory.hpp must give NamedMemory every member above");
static_assert(std::is_same_v<decltype(&unlink_memory), bool (*)(std::string const&)> &&
                  std::is_same_v<decltype(memory_names_persist), bool const>,
              "platform/<os>/named_memory.hpp must define unlink_memory, memory_names_persist");

}  // namespace multiprocessing::platform
