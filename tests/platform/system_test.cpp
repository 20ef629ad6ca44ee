// SPDX-License-Identifier: MIT
// tests/platform/system_test.cpp — what a process knows of itself and its machine.
#include <multiprocessing/platform/system.hpp>

#include <multiprocessing/errors.hpp>

#include "support/catch.hpp"
#include "support/host.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace mp = multiprocessing;
namespace platform = mp::platform;

TEST_CASE("process_cpu_count: is between one and cpu_count", "[platform][threads]") {
    CHECK(platform::cpu_count() >= 1);
    CHECK(platform::process_cpu_count() >= 1);
    CHECK(platform::process_cpu_count() <= platform::cpu_count());
}

TEST_CASE("executable_path: starts this program again", "[platform]") {
    std::filesystem::path const path = platform::executable_path();
    CHECK(path.is_absolute());
    CHECK(std::filesystem::is_regular_file(path));
}

TEST_CASE("program_arguments: begin with the program's name", "[platform]") {
    auto const arguments = platform::program_arguments();
    REQUIRE(!arguments.empty());
    auto const stem = [](std::filesystem::path const& path) { return path.stem(); };
    CHECK(stem(arguments[0]) == stem(platform::executable_path()));
}

TEST_CASE("change_directory: working_directory follows", "[platform]") {
    auto const before = platform::working_directory();
    std::filesystem::path const program = platform::executable_path();
    platform::change_directory(program.parent_path().string());
    CHECK(std::filesystem::path(platform::working_directory()) == program.parent_path());
    CHECK(std::filesystem::exists(program.filename()));
    platform::change_directory(before);
    CHECK(platform::working_directory() == before);
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
    test::set_environment("MULTIPROCESSING_TEST_EMPTY", "");
    CHECK(platform::environment("MULTIPROCESSING_TEST_EMPTY") == "");
    test::set_environment("MULTIPROCESSING_TEST_EMPTY", nullptr);
    CHECK(!platform::environment("MULTIPROCESSING_TEST_EMPTY"));
}

TEST_CASE("environment: a value of any length and of any characters", "[platform]") {
    std::string value;
    while (value.size() < 3000) value += "Grüße, 世界; ";
    test::set_environment("MULTIPROCESSING_TEST_LONG", value.c_str());
    CHECK(platform::environment("MULTIPROCESSING_TEST_LONG") == value);
    test::set_environment("MULTIPROCESSING_TEST_LONG", nullptr);
}
