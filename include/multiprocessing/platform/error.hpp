// SPDX-License-Identifier: MIT
// multiprocessing/platform/error.hpp — turns the system's last error into an OSError.
// Layer 1 (platform). Mirrors `OSError`.
#pragma once

// throw_last_error(call, object)   POSIX: reads errno.  Windows: reads GetLastError().
//                                  The number is read before anything else runs. The text is
//                                  "call object: what the system says about it".
// throw_system_error(number, ...)  the same for calls that return their error.

#include <multiprocessing/platform/detect.hpp>

#include <string_view>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(error)

namespace multiprocessing::platform {

static_assert(
    std::is_same_v<decltype(&throw_last_error), void (*)(char const*, std::string_view)> &&
        std::is_same_v<decltype(&throw_system_error), void (*)(int, char const*, std::string_view)>,
    "platform/<os>/error.hpp must define throw_last_error and throw_system_error");

}  // namespace multiprocessing::platform
