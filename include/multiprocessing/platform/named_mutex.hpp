// SPDX-License-Identifier: MIT
// multiprocessing/platform/named_mutex.hpp — excludes programs that share named memory only.
// Layer 1 (platform). Mirrors no Python file.
#pragma once

// NamedMutex       between the threads of all programs that map one NamedMemory. The locks of
//                  synchronize/ live in the heap of one process tree; this one is for strangers.
// mutex_bytes      what it needs of that memory, zero at first; aligned as a cache line.
// prepare(place)   once, by who made the memory, before anybody else knows of it.
// NamedMutex(place, name)    a view of it.
// lock(timeout_ns) waits; UINT64_MAX for ever. `from_dead`: its owner has ended without unlock.
//                  RuntimeError where the calling thread owns it already.
//                  POSIX: a robust pthread mutex, so the kernel wakes who waits for a dead owner.
//                  Windows: a named kernel mutex.
// unlock           by the thread that owns it.

#include <multiprocessing/platform/detect.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace multiprocessing::platform {

enum class MutexTaken { no, yes, from_dead };

}  // namespace multiprocessing::platform

#include MULTIPROCESSING_PLATFORM_HEADER(named_mutex)

namespace multiprocessing::platform {

template <class T>
concept NamedMutexApi = requires(T& mutex, std::byte* place, std::string const& name,
                                 std::uint64_t timeout_ns) {
    T(place, name);
    T::prepare(place);
    requires T::mutex_bytes <= 64;
    { mutex.lock(timeout_ns) } -> std::same_as<MutexTaken>;
    { mutex.unlock() } noexcept;
};
static_assert(NamedMutexApi<NamedMutex>,
              "platform/<os>/named_mutex.hpp must give NamedMutex every member above");

}  // namespace multiprocessing::platform
