// SPDX-License-Identifier: MIT
// multiprocessing/platform/liveness.hpp — whether another process can still act.
// Layer 1 (platform). Mirrors `Popen.poll` of Lib/multiprocessing/popen_fork.py, for any process.
#pragma once

// liveness(identity)   POSIX: dead if no such process exists, if the process of that number
//                      started at another time, or if it is a zombie without any other live thread
//                      (one whose main thread ended while others run is shown as a zombie too).
//                      Windows: the process handle is signalled, or the creation time differs.
//                      What cannot be found out counts as alive: no permission, no /proc, an
//                      identity that was made in another pid or time namespace.
//                      An ended child that its parent has not reaped is dead.
//                      Does not allocate, does not throw, may be called by any thread.
//                      A process that replaced its program by exec stays alive to this function.
// left_memory(identity, there, memory)    whether a process that is alive surely cannot touch the
//                      memory behind the handle `memory` again, though it had mapped it: it
//                      replaced its program. `there` is the number of its own handle, as a hint
//                      that makes the question cheap. What cannot be found out is false.
//                      POSIX: it has neither that descriptor nor a mapping of the file. One that
//                      closed all its descriptors still has the mapping.
//                      Windows: false. A process keeps its program.
// this_process, identity_of   the identity of a process. `start_time` is 0 where it is unknown.
// open_process         a handle that poll_handles reports once the process ended. Empty where the
//                      system has none (POSIX: before Linux 5.3, or no permission, or no such
//                      process): the caller then asks liveness from time to time.
// simulate_missing_process_handles    for tests: open_process returns nothing in this process.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/types.hpp>

#include <cstdint>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(liveness)

namespace multiprocessing::platform {

static_assert(
    std::is_same_v<decltype(&liveness), Liveness (*)(ProcessIdentity) noexcept> &&
        std::is_same_v<decltype(&this_process), ProcessIdentity (*)() noexcept> &&
        std::is_same_v<decltype(&identity_of), ProcessIdentity (*)(std::int64_t) noexcept>,
    "platform/<os>/liveness.hpp must define liveness, this_process and identity_of");
static_assert(
    std::is_same_v<decltype(&open_process), Handle (*)(std::int64_t)> &&
        std::is_same_v<decltype(&simulate_missing_process_handles), void (*)(bool) noexcept>,
    "platform/<os>/liveness.hpp must define open_process and its switch");
static_assert(std::is_same_v<decltype(&left_memory), bool (*)(ProcessIdentity, native_handle,
                                                              native_handle) noexcept>,
              "platform/<os>/liveness.hpp must define left_memory");

}  // namespace multiprocessing::platform
