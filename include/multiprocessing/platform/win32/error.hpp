// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/error.hpp — GetLastError and FormatMessage.
// Layer 1 (platform). Implements platform/error.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace multiprocessing::platform::inline win32 {

namespace detail {

/// What the system says about an error, in UTF-8, without a full stop.
inline std::string system_message(int number) {
    constexpr dword from_system_without_inserts = 0x1200;
    wchar_t text[512];
    dword const length = ::FormatMessageW(from_system_without_inserts, nullptr,
                                          static_cast<dword>(number), 0, text, 512, nullptr);
    std::string message = to_utf8({text, length});
    while (!message.empty() && std::string_view("\r\n .").find(message.back()) != message.npos)
        message.pop_back();
    return message.empty() ? fmt::format("error {}", number) : message;
}

}  // namespace detail

[[noreturn]] inline void throw_system_error(int number, char const* call,
                                            std::string_view object = {}) {
    throw OSError(std::error_code(number, std::system_category()),
                  fmt::format("{}{}{}: {}", call, object.empty() ? "" : " ", object,
                              detail::system_message(number)));
}

[[noreturn]] inline void throw_last_error(char const* call, std::string_view object = {}) {
    throw_system_error(static_cast<int>(::GetLastError()), call, object);
}

}  // namespace multiprocessing::platform::inline win32
