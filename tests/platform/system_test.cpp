// SPDX-License-Identifier: MIT
// tests/platform/system_test.cpp — what a process knows of itself and its machine.
#include <multiprocessing/platform/system.hpp>

#include <multiprocessing/errors.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include <sched.h>
#include <unistd.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;

TEST_CASE("process_cpu_count: is between one and cpu_count", "[platform][threads]") {
    CHECK(platform::cpu_count() >= 1);
    CHECK(platform::process_cpu_count() >= 1);
    CHECK(platform::process_cpu_count() <= platform::cpu_count());
}

TEST_CASE("process_cpu_count: honours the affinity", "[platform]") {
    CHECK(test::in_child([] {
              cpu_set_t one;
              CPU_ZERO(&one);
              CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
              ::sched_setaffinity(0, sizeof one, &one);
              return platform::process_cpu_count();
          }) == 1);
}

TEST_CASE("executable_path: starts this program again", "[platform]") {
    std::string const path = platform::executable_path();
    CHECK(path.starts_with('/'));
    CHECK(::access(path.c_str(), X_OK) == 0);
}

TEST_CASE("program_arguments: begin with the program's name", "[platform]") {
    auto const arguments = platform::program_arguments();
    REQUIRE(!arguments.empty());
    auto const file = [](std::string const& path) { return path.substr(path.rfind('/') + 1); };
    CHECK(file(arguments[0]) == file(platform::executable_path()));
}

TEST_CASE("change_directory: working_directory follows", "[platform]") {
    CHECK(test::in_child([] {
              platform::change_directory("/");
              return platform::working_directory() == "/" ? 0 : 1;
          }) == 0);
    CHECK_THROWS_AS(platform::change_directory("/no/such/folder"), mp::OSError);
}

TEST_CASE("secure_mode: an ordinary program is not in it", "[platform]") {
    CHECK(!platform::secure_mode());
}

TEST_CASE("random_bytes: fills all and never alike", "[platform][threads]") {
    std::array<std::byte, 600> first{};
    std::array<std::byte, 600> second{};
    platform::random_bytes(first);
    platform::random_bytes(second);
    CHECK(first != second);
    CHECK(
        std::any_of(first.end() - 32, first.end(), [](std::byte b) { return b != std::byte{0}; }));
}

TEST_CASE("environment: none is not the same as empty", "[platform]") {
    ::setenv("MULTIPROCESSING_TEST_EMPTY", "", 1);
    CHECK(platform::environment("MULTIPROCESSING_TEST_EMPTY") == "");
    ::unsetenv("MULTIPROCESSING_TEST_EMPTY");
    CHECK(!platform::environment("MULTIPROCESSING_TEST_EMPTY"));
}
