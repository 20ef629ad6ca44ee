// SPDX-License-Identifier: MIT
// tests/platform/error_win32_test.cpp — how a refused call of Windows is told.
#include <multiprocessing/platform/error.hpp>

#include <multiprocessing/errors.hpp>

#include "support/catch.hpp"

#include <string>
#include <system_error>

#include <windows.h>

namespace mp = multiprocessing;

TEST_CASE("throw_last_error: names the call, the object and what the system said", "[platform]") {
    ::SetLastError(ERROR_FILE_NOT_FOUND);
    try {
        mp::platform::throw_last_error("CreateFile", "C:/no/such/file");
        FAIL("it returned");
    } catch (mp::OSError const& error) {
        CHECK(error.code() == std::error_code(ERROR_FILE_NOT_FOUND, std::system_category()));
        CHECK(error.code() == std::errc::no_such_file_or_directory);
        CHECK(std::string(error.what()) == "CreateFile C:/no/such/file: File not found");
    }
}

TEST_CASE("throw_system_error: takes the number from its caller", "[platform]") {
    ::SetLastError(ERROR_FILE_NOT_FOUND);
    try {
        mp::platform::throw_system_error(ERROR_INVALID_HANDLE, "WaitForSingleObject");
        FAIL("it returned");
    } catch (mp::Error const& error) {
        CHECK(std::string(error.what()) == "WaitForSingleObject: Invalid handle");
    }
    try {
        mp::platform::throw_system_error(0x7abcdef0, "Nothing");
        FAIL("it returned");
    } catch (mp::Error const& error) {
        CHECK(std::string(error.what()) == "Nothing: error 2059198192");
    }
}
