// SPDX-License-Identifier: MIT
// tests/platform/detect_windows_after_win32_test.cpp — <windows.h> behind ours gives all it has.
#include <multiprocessing.hpp>

#if defined(_WINDOWS_) || defined(_INC_WINDOWS)
#error "our headers include <windows.h>"
#endif

#include <windows.h>

#include "support/catch.hpp"

TEST_CASE("windows.h: behind our headers, it is whole", "[platform]") {
    CHECK(::GetDeviceCaps(nullptr, HORZRES) == 0);  // not so with NOGDI
    CHECK(::CommandLineToArgvW != nullptr);         // not so with WIN32_LEAN_AND_MEAN
}
