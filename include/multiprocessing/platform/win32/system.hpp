// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/system.hpp — affinity, the command line, BCryptGenRandom.
// Layer 1 (platform). Implements platform/system.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <io.h>

namespace multiprocessing::platform::inline win32 {

inline int cpu_count() {
    constexpr unsigned short all_groups = 0xffff;
    return static_cast<int>(std::max(1ul, ::GetActiveProcessorCount(all_groups)));
}

inline int process_cpu_count() {
    // A job object limits the affinity of its processes, so that the mask knows of it.
    std::size_t allowed = 0;
    std::size_t present = 0;
    if (::GetProcessAffinityMask(::GetCurrentProcess(), &allowed, &present) == 0 || allowed == 0) {
        return cpu_count();  // zero: its threads run in several groups of processors
    }
    return std::min(std::popcount(allowed), cpu_count());
}

inline std::string executable_path() {
    std::wstring const path = detail::filled([](wchar_t* buffer, detail::dword size) {
        return ::GetModuleFileNameW(nullptr, buffer, size);
    });
    if (path.empty()) throw_last_error("GetModuleFileName");
    return detail::to_utf8(path);
}

namespace detail {

// Splits a command line as the C library does: backslashes count only before a quotation mark.
class CommandLine {
public:
    explicit CommandLine(std::wstring_view text) : left_(text) {}

    std::vector<std::string> arguments() {
        std::vector<std::string> result{program()};
        while (skip_blanks()) result.push_back(argument());
        return result;
    }

private:
    static bool is_blank(wchar_t unit) { return unit == L' ' || unit == L'\t'; }

    bool skip_blanks() {
        while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
        return !left_.empty();
    }

    // The first has no backslash rules, since it is a path.
    std::string program() {
        std::wstring text;
        bool quoted = false;
        for (; !left_.empty() && (quoted || !is_blank(left_.front())); left_.remove_prefix(1)) {
            if (left_.front() == L'"') quoted = !quoted;
            else text += left_.front();
        }
        return to_utf8(text);
    }

    std::string argument() {
        std::wstring text;
        bool quoted = false;
        while (!left_.empty() && (quoted || !is_blank(left_.front()))) {
            std::size_t const slashes = std::min(left_.find_first_not_of(L'\\'), left_.size());
            left_.remove_prefix(slashes);
            if (left_.empty() || left_.front() != L'"') {
                text.append(slashes, L'\\');
                if (slashes == 0) {
                    text += left_.front();
                    left_.remove_prefix(1);
                }
                continue;
            }
            text.append(slashes / 2, L'\\');
            left_.remove_prefix(1);
            if (slashes % 2 != 0) {
                text += L'"';
            } else if (quoted && left_.starts_with(L'"')) {
                text += L'"';  // two in quotation are one
                left_.remove_prefix(1);
            } else {
                quoted = !quoted;
            }
        }
        return to_utf8(text);
    }

    std::wstring_view left_;
};

}  // namespace detail

inline std::vector<std::string> program_arguments() {
    return detail::CommandLine(::GetCommandLineW()).arguments();
}

inline std::string working_directory() {
    std::wstring const path = detail::filled([](wchar_t* buffer, detail::dword size) {
        return ::GetCurrentDirectoryW(size, buffer);
    });
    if (path.empty()) throw_last_error("GetCurrentDirectory");
    return detail::to_utf8(path);
}

inline void change_directory(std::string const& path) {
    if (::SetCurrentDirectoryW(detail::to_wide(path).c_str()) == 0) {
        throw_last_error("SetCurrentDirectory", path);
    }
}

inline bool secure_mode() noexcept { return false; }

inline void random_bytes(std::span<std::byte> bytes) {
    constexpr unsigned long preferred_generator = 2;
    while (!bytes.empty()) {
        std::size_t const part = std::min(bytes.size(), std::size_t{1} << 30);
        auto* const data = reinterpret_cast<unsigned char*>(bytes.data());
        auto const size = static_cast<detail::dword>(part);
        long const status = ::BCryptGenRandom(nullptr, data, size, preferred_generator);
        if (status != 0) throw_system_error(static_cast<int>(status), "BCryptGenRandom");
        bytes = bytes.subspan(part);
    }
}

inline bool stderr_is_terminal() noexcept { return ::_isatty(2) != 0; }

inline std::optional<std::string> environment(char const* name) {
    std::wstring const wide = detail::to_wide(name);
    ::SetLastError(0);  // it stays so where the value is empty
    std::wstring const value = detail::filled([&](wchar_t* buffer, detail::dword size) {
        return ::GetEnvironmentVariableW(wide.c_str(), buffer, size);
    });
    if (value.empty() && ::GetLastError() != 0) return std::nullopt;
    return detail::to_utf8(value);
}

}  // namespace multiprocessing::platform::inline win32
