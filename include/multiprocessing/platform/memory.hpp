// SPDX-License-Identifier: MIT
// multiprocessing/platform/memory.hpp — the memory that a tree of processes shares.
// Layer 1 (platform). Mirrors `Arena` of Lib/multiprocessing/heap.py.
#pragma once

// SharedMemory     owns a mapping; moves, does not copy; the memory itself lives as long as a
//                  process maps it or has its handle.
// create           reserves addresses for `reserve` bytes and backs the first `initial`, all zero.
//                  POSIX: an unnamed file of memory (memfd, else an unlinked shm_open) that cannot
//                  shrink, mapped once, without swap reserved ahead.
//                  Windows: a section with SEC_RESERVE, committed as it grows.
//                  Where the system refuses so many addresses (RLIMIT_AS), half as many are
//                  tried, down to 256 MiB, then MemoryError.
// usual_reserve    what a program reserves if it has no wish: 64 GiB.  Windows: 8 GiB.
// attach           maps the memory of such a handle. `reserve` is what the creator got.
// grow             makes the first `bytes` usable. False if a limit refuses: the reserve,
//                  RLIMIT_FSIZE, the headroom of a control group, memory itself. Never a signal,
//                  here or at a later touch of what was granted. Any thread of any process may call
//                  it at once; the memory never shrinks. New pages read as zero, cost nothing until
//                  they are touched, and appear in every process that has mapped the memory.
// give_back        returns whole pages to the system; they read as zero and stay usable. Offset
//                  and size are multiples of page_size(). POSIX: punches a hole.  Windows: cannot,
//                  false. False as well where pages had to be reserved ahead (strict overcommit).
// is_open          whether the handle is still the memory's: a program may have closed it, and have
//                  another file under its number. The mapping stays; but nothing grows, is given
//                  back or can be inherited. POSIX: fstat.  Windows: true.
// resident         bytes that occupy memory now. For tests and statistics.
// oom_kills        how many processes of our control group the kernel killed for want of memory,
//                  as far as it tells; 0 where it does not.  Windows: 0.
// A core dump leaves the mapping out: it would walk through the whole reserve.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include MULTIPROCESSING_PLATFORM_HEADER(memory)

namespace multiprocessing::platform {

template <class T>
concept SharedMemoryApi = std::movable<T> && !std::copyable<T> &&
                          requires(T & memory, T const& view, std::size_t bytes, Handle handle) {
    { T::usual_reserve } -> std::convertible_to<std::size_t>;
    { T::create(bytes, bytes) } -> std::same_as<T>;
    { T::attach(std::move(handle), bytes) } -> std::same_as<T>;
    { view.data() }
    noexcept->std::same_as<std::byte*>;
    { view.reserved() }
    noexcept->std::same_as<std::size_t>;
    { view.handle() }
    noexcept->std::same_as<native_handle>;
    { view.size() }
    noexcept->std::same_as<std::size_t>;
    { view.is_open() } noexcept -> std::same_as<bool>;
    { view.resident() }
    noexcept->std::same_as<std::size_t>;
    { memory.grow(bytes) }
    noexcept->std::same_as<bool>;
    { memory.give_back(bytes, bytes) }
    noexcept->std::same_as<bool>;
};
static_assert(SharedMemoryApi<SharedMemory>,
              "platform/<os>/memory.hpp must give SharedMemory every member above");
static_assert(std::is_same_v<decltype(&page_size), std::size_t (*)() noexcept>,
              "platform/<os>/memory.hpp must define: std::size_t page_size() noexcept");
static_assert(std::is_same_v<decltype(&oom_kills), std::uint64_t (*)()>,
              "platform/<os>/memory.hpp must define: std::uint64_t oom_kills()");

}  // namespace multiprocessing::platform
