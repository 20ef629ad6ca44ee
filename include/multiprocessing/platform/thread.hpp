// SPDX-License-Identifier: MIT
// multiprocessing/platform/thread.hpp — what a thread can ask about itself.
// Layer 1 (platform). Mirrors `threading.main_thread` and `threading.Thread.name`.
#pragma once

// is_main_thread     whether the caller is the thread that the process began with; in a forked
//                    process, the one that forked.
//                    Linux: gettid against getpid.  Windows: noted at start-up.
// thread_name        the name that somebody gave the thread; empty if nobody did.
//                    Linux: pthread_getname_np, at most 15 characters; a name that was only
//                    inherited from the main thread does not count.  Windows: GetThreadDescription.
// at_thread_end      calls run(value) when the calling thread ends. std::bad_alloc if it cannot be
//                    noted.
//                    POSIX: among the destructors of its thread_local objects.
//                    Windows: by the system, behind these: `run` must use no thread_local object.
//                    MinGW's lie in memory that is freed before their destructors run.
// thread_end_comes_last   which of the two it is.

#include <multiprocessing/platform/detect.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(thread)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&is_main_thread), bool (*)() noexcept> &&
                  std::is_same_v<decltype(&thread_name), std::string (*)()>,
              "platform/<os>/thread.hpp must define is_main_thread and thread_name");
static_assert(std::is_same_v<decltype(&at_thread_end),
                             void (*)(void (*)(std::uint64_t) noexcept, std::uint64_t)> &&
                  std::is_same_v<decltype(thread_end_comes_last), bool const>,
              "platform/<os>/thread.hpp must define at_thread_end and thread_end_comes_last");

}  // namespace multiprocessing::platform
