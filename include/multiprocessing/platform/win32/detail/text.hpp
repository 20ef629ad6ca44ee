// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/text.hpp — UTF-8 outside, UTF-16 for Windows.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/win32/detail/api.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace multiprocessing::platform::inline win32::detail {

inline constexpr unsigned code_page_utf8 = 65001;

/// What is no UTF-8 becomes U+FFFD.
inline std::wstring to_wide(std::string_view text) {
    int const bytes = static_cast<int>(text.size());
    int const size = ::MultiByteToWideChar(code_page_utf8, 0, text.data(), bytes, nullptr, 0);
    std::wstring wide(static_cast<std::size_t>(size), L'\0');
    ::MultiByteToWideChar(code_page_utf8, 0, text.data(), bytes, wide.data(), size);
    return wide;
}

inline std::string to_utf8(std::wstring_view wide) {
    int const units = static_cast<int>(wide.size());
    int const size =
        ::WideCharToMultiByte(code_page_utf8, 0, wide.data(), units, nullptr, 0, nullptr, nullptr);
    std::string text(static_cast<std::size_t>(size), '\0');
    ::WideCharToMultiByte(code_page_utf8, 0, wide.data(), units, text.data(), size, nullptr,
                          nullptr);
    return text;
}

/// Asks a function of Windows that fills a buffer for as much as it needs: `fill(buffer, size)`
/// returns the length, or what it needs if that is `size` or more, or 0 for an error.
template <class Fill>
std::wstring filled(Fill fill) {
    std::wstring text(260, L'\0');
    for (;;) {
        dword const size = static_cast<dword>(text.size());
        dword const length = fill(text.data(), size);
        if (length < size) {
            text.resize(length);
            return text;
        }
        text.resize(length > size ? length : text.size() * 2);
    }
}

}  // namespace multiprocessing::platform::inline win32::detail
