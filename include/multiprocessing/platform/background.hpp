// SPDX-License-Identifier: MIT
// multiprocessing/platform/background.hpp — a thread that the program does not notice.
// Layer 1 (platform). Mirrors the daemon threads of Lib/threading.py.
#pragma once

// start_background_thread(run, argument)  calls run(argument) in a detached thread with a small
//                   stack, which ends with the process. None of the signals that are sent to the
//                   process reach it, so the handlers of the program run in its own threads.
//                   RuntimeError if the system refuses.
//                   POSIX: pthread_create with all signals blocked.  Windows: CreateThread.

#include <multiprocessing/platform/detect.hpp>

#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(background)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&start_background_thread), void (*)(void (*)(void*), void*)>,
              "platform/<os>/background.hpp must define start_background_thread");

}  // namespace multiprocessing::platform
