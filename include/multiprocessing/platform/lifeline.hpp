// SPDX-License-Identifier: MIT
// multiprocessing/platform/lifeline.hpp — a process that the system ends together with another one.
// Layer 1 (platform). Mirrors no Python file.
#pragma once

// lifeline()       a number by which others hold on to this process; made at first use, another one
//                  after a fork. 0: the system has no such thing, or has refused.
//                  POSIX (Linux): the only write end of a pipe, which is close-on-exec and which no
//                  fork copies. The system closes it when the process has ended, not when a thread
//                  has.  Windows: 0.
// lifeline_end(pid, lifeline)    holds on to the process of that number and lifeline. Empty if
//                  there is no such process (any more).
// follow(end)      from now on this process is killed, whatever it is doing, when the one at the
//                  other end has ended, or has replaced its program. It follows one at a time; an
//                  empty end stops it. If that process has ended already, this one ends here with
//                  status 1. False: not possible, nothing has changed.
//                  POSIX (Linux): the system sends SIGKILL when the pipe has lost its writer.
//                  No thread is needed, no signal is handled, and nothing has to be awake.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <cstdint>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(lifeline)

namespace multiprocessing::platform {

static_assert(
    std::is_same_v<decltype(&lifeline), std::uint64_t (*)() noexcept> &&
        std::is_same_v<decltype(&lifeline_end), Handle (*)(std::int64_t, std::uint64_t) noexcept> &&
        std::is_same_v<decltype(&follow), bool (*)(Handle) noexcept>,
    "platform/<os>/lifeline.hpp must define lifeline, lifeline_end and follow");

}  // namespace multiprocessing::platform
