// SPDX-License-Identifier: MIT
// multiprocessing/platform/serving.hpp — what a process needs that does nothing but fork others.
// Layer 1 (platform). Mirrors the signal handling of Lib/multiprocessing/forkserver.py.
#pragma once

// thread_count     how many threads this process has.  Linux: /proc/self/task.  Windows: 1.
// begin_serving(on_child_end)    interrupts from the terminal are ignored, and the function is
//                  called in a signal handler whenever a child may have ended. POSIX: SIGINT,
//                  SIGCHLD.
// end_serving      as before; for a forked child.
// ended_child      one of the children that have ended, with its exit code. It keeps its number
//                  until it is waited for.  POSIX: waitid with WNOWAIT.  Windows: none.
// has_child_end    POSIX: true.  Windows: false, and what follows does nothing.
// child_end(pid, waits)    the exit code of this child, which keeps its number too. Nothing if it
//                  runs on, which is seen at once unless `waits`; or if it is no child of ours.
// ended_handle     one that is ready, as the handle of a process is that has ended.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>

namespace multiprocessing::platform {

struct EndedChild {
    std::int64_t pid = 0;
    int exitcode = 0;
};

}  // namespace multiprocessing::platform

#include MULTIPROCESSING_PLATFORM_HEADER(serving)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&thread_count), unsigned (*)() noexcept> &&
                  std::is_same_v<decltype(&begin_serving), void (*)(void (*)())> &&
                  std::is_same_v<decltype(&end_serving), void (*)() noexcept> &&
                  std::is_same_v<decltype(&ended_child), std::optional<EndedChild> (*)()> &&
                  std::is_same_v<decltype(has_child_end), bool const> &&
                  std::is_same_v<decltype(&child_end),
                                 std::optional<int> (*)(std::int64_t, bool)> &&
                  std::is_same_v<decltype(&ended_handle), Handle (*)()>,
              "platform/<os>/serving.hpp must define what platform/serving.hpp describes");

}  // namespace multiprocessing::platform
