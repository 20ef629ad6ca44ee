// SPDX-License-Identifier: MIT
// tests/platform/system_win32_test.cpp — command lines, affinity.
#include <multiprocessing/platform/system.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <windows.h>

#include <shellapi.h>

namespace platform = multiprocessing::platform;

TEST_CASE("program_arguments: are split as Windows splits them", "[platform]") {
    for (std::wstring const line :
         {L"program", L"\"C:\\a b\\p.exe\" one  two\tthree", L"p \"\" \"a b\" c\"d e\"f",
          L"p a\\b a\\\\b \"a\\\\\" a\\\"b a\\\\\\\"b a\\\\\"b c\"", L"p \\ \\\\ \\\"", L"p \"a\\",
          L"p caf\u00e9 \u4e16\u754c"}) {
        int count = 0;
        wchar_t** const expected = ::CommandLineToArgvW(line.c_str(), &count);
        std::vector<std::string> texts;
        for (int i = 0; i < count; ++i) texts.push_back(platform::detail::to_utf8(expected[i]));
        ::LocalFree(expected);
        CHECK(platform::detail::CommandLine(line).arguments() == texts);
    }
}

TEST_CASE("process_cpu_count: honours the affinity", "[platform]") {
    DWORD_PTR allowed = 0;
    DWORD_PTR present = 0;
    REQUIRE(::GetProcessAffinityMask(::GetCurrentProcess(), &allowed, &present));
    if (!::SetProcessAffinityMask(::GetCurrentProcess(), allowed & (~allowed + 1)))
        SKIP("this process may not change its affinity");
    int const count = platform::process_cpu_count();
    ::SetProcessAffinityMask(::GetCurrentProcess(), allowed);
    CHECK(count == 1);
}
