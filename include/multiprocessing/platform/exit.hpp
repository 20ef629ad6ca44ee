// SPDX-License-Identifier: MIT
// multiprocessing/platform/exit.hpp — what happens when the program ends by itself.
// Layer 1 (platform). Mirrors `atexit.register`.
#pragma once

// at_exit(handler)  calls the handler with the exit code when the program calls exit or returns
//                   from main. What was registered last comes first, together with std::atexit
//                   and the destructors of static objects. The handler may end the process by
//                   exit_process, and so keep a forked child from what its parent registered.
//                   POSIX: on_exit, or, where there is none, atexit; then the code is 0.
//                   Windows: atexit, likewise.
//                   MemoryError if it cannot be registered.

#include <multiprocessing/platform/detect.hpp>

#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(exit)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&at_exit), void (*)(void (*)(int))>,
              "platform/<os>/exit.hpp must define: void at_exit(void (*handler)(int code))");

}  // namespace multiprocessing::platform
