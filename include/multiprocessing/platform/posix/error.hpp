// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/error.hpp — errno.
// Layer 1 (platform). Implements platform/error.hpp.
#pragma once

#include <multiprocessing/errors.hpp>

#include <string_view>
#include <system_error>

#include <errno.h>
#include <fmt/format.h>

namespace multiprocessing::platform::inline posix {

[[noreturn]] inline void throw_system_error(int number, char const* call,
                                            std::string_view object = {}) {
    std::error_code const code(number, std::generic_category());
    throw OSError(
        code, fmt::format("{}{}{}: {}", call, object.empty() ? "" : " ", object, code.message()));
}

[[noreturn]] inline void throw_last_error(char const* call, std::string_view object = {}) {
    throw_system_error(errno, call, object);
}

}  // namespace multiprocessing::platform::inline posix
