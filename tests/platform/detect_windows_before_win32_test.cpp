// SPDX-License-Identifier: MIT
// tests/platform/detect_windows_before_win32_test.cpp — the rudest <windows.h>, first.
#undef NOMINMAX
#undef WIN32_LEAN_AND_MEAN
#include <winsock2.h>

#include <windows.h>

// That is what makes it rude. For C++ it defines neither min nor max: its C++ library forbids it.
#if !defined(ERROR) || !defined(interface) || !defined(near) || !defined(far) || \
    !defined(hyper) || !defined(IN) || !defined(OUT) || !defined(OPTIONAL) || !defined(DELETE) || \
    !defined(Yield) || !defined(CreateEvent) || !defined(CreateProcess) || !defined(GetMessage)
#error "this <windows.h> is not the one with everything"
#endif
#define small char  // as rpcndr.h of other kits does

#include <multiprocessing.hpp>

#include "support/catch.hpp"

#include <cstddef>

namespace detail = multiprocessing::platform::detail;

// Our own declarations of its structures.
static_assert(sizeof(detail::FileTime) == sizeof(FILETIME));
static_assert(sizeof(detail::MemoryInfo) == sizeof(MEMORY_BASIC_INFORMATION) &&
              offsetof(detail::MemoryInfo, state) == offsetof(MEMORY_BASIC_INFORMATION, State));
static_assert(sizeof(detail::SystemInfo) == sizeof(SYSTEM_INFO));
static_assert(sizeof(detail::Overlapped) == sizeof(OVERLAPPED) &&
              offsetof(detail::Overlapped, event) == offsetof(OVERLAPPED, hEvent));
static_assert(sizeof(detail::StartupInfo) == sizeof(STARTUPINFOEXW) &&
              offsetof(detail::StartupInfo, input) == offsetof(STARTUPINFOW, hStdInput) &&
              offsetof(detail::StartupInfo, attributes) ==
                  offsetof(STARTUPINFOEXW, lpAttributeList));
static_assert(sizeof(detail::ProcessInfo) == sizeof(PROCESS_INFORMATION));

TEST_CASE("windows.h: before our headers, it does no harm", "[platform]") {
    CHECK(multiprocessing::logging::error == 40);  // under the other name, ERROR is a macro
    CHECK(ERROR == 0);                             // and stays the user's
}
