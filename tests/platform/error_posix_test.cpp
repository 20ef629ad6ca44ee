// SPDX-License-Identifier: MIT
// tests/platform/error_posix_test.cpp — errno, which Windows does not use.
#include <multiprocessing/platform/error.hpp>

#include <multiprocessing/errors.hpp>

#include "support/catch.hpp"

#include <cerrno>
#include <string>

namespace mp = multiprocessing;

TEST_CASE("throw_last_error: names the call, the object and what the system said", "[platform]") {
    errno = ENOENT;
    try {
        mp::platform::throw_last_error("open", "/no/such/file");
    } catch (mp::OSError const& error) {
        CHECK(error.code() == std::errc::no_such_file_or_directory);
        CHECK(std::string(error.what()) == "open /no/such/file: No such file or directory");
    }
}

TEST_CASE("throw_system_error: takes the number from its caller", "[platform]") {
    errno = ENOENT;
    try {
        mp::platform::throw_system_error(EBADF, "poll");
    } catch (mp::Error const& error) {
        CHECK(std::string(error.what()) == "poll: Bad file descriptor");
    }
}
