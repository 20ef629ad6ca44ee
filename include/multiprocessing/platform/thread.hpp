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

#include <multiprocessing/platform/detect.hpp>

#include <string>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(thread)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&is_main_thread), bool (*)() noexcept> &&
                  std::is_same_v<decltype(&thread_name), std::string (*)()>,
              "platform/<os>/thread.hpp must define is_main_thread and thread_name");

}  // namespace multiprocessing::platform
