// SPDX-License-Identifier: MIT
// multiprocessing/platform/poll.hpp — waits until one of several handles of the system is ready.
// Layer 1 (platform). Mirrors `wait` of Lib/multiprocessing/connection.py, below its objects.
#pragma once

// poll_handles(handles, timeout)   the indexes, ascending, of those that are readable, at their end
//              or broken; empty once the time passed (0 only looks, UINT64_MAX is for ever).
//              OSError if one is no handle. The handle of a process is ready once that ended.
//              POSIX: ppoll.  Windows: WaitForMultipleObjects; for more than 64 in threads of the
//              system; a pipe by a read of no bytes.
// Doorbell     a handle that is ready from ring() until drain(), to wake a thread of this process
//              out of poll_handles. ring() may be called by any thread, and in a signal handler.
//              A forked child shares the parent's bell and must make its own.
//              POSIX: eventfd.  Windows: a manual-reset event.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include MULTIPROCESSING_PLATFORM_HEADER(poll)

namespace multiprocessing::platform {

static_assert(
    std::is_same_v<decltype(&poll_handles),
                   std::vector<std::size_t> (*)(std::span<native_handle const>, std::uint64_t)>,
    "platform/<os>/poll.hpp must define poll_handles");

template <class T>
concept DoorbellApi = std::default_initializable<T> && std::movable<T> &&
    requires(T& bell, T const& view) {
    { bell.ring() }
    noexcept->std::same_as<void>;
    { bell.drain() }
    noexcept->std::same_as<void>;
    { view.handle() }
    noexcept->std::same_as<native_handle>;
};
static_assert(DoorbellApi<Doorbell>,
              "platform/<os>/poll.hpp must give Doorbell every member above");

}  // namespace multiprocessing::platform
