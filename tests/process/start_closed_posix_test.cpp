// SPDX-License-Identifier: MIT
// tests/process/start_closed_posix_test.cpp — a program that has closed all descriptors, ours too.
#include <multiprocessing/context.hpp>
#include <multiprocessing/platform/memory.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mp = multiprocessing;

namespace {

void close_all() {
    for (int i = 3; i < 1024; ++i) ::close(i);
}

/// Files of the program under the numbers that were ours.
std::vector<int> take_the_numbers() {
    std::vector<int> files;
    for (int i = 0; i < 20; ++i) {
        std::FILE* const file = std::tmpfile();
        if (file != nullptr) files.push_back(::fileno(file));
    }
    return files;
}

void nothing() {}

std::string outcome_of(char const* method) {
    try {
        auto p = mp::get_context(method).Process(nothing);
        p.start();
        p.join();
        return std::to_string(*p.exitcode());
    } catch (mp::RuntimeError const& error) {
        return error.what();
    }
}

void start_with_closed(bool reused) {
    close_all();
    if (reused) take_the_numbers();
    if (outcome_of("fork") != "0") throw mp::SystemExit(3);
    if (outcome_of("spawn").find("closed the descriptor") == std::string::npos)
        throw mp::SystemExit(4);
}

/// Whether it finds the files of its parent as they were.
void look_at(std::vector<int> files) {
    for (int const file : files)
        if (::fcntl(file, F_GETFD) < 0) throw mp::SystemExit(2);
}
void let_a_child_look() {
    {
        mp::Process p({.start_method = mp::StartMethod::fork}, nothing);
        p.start();  // so that there is something of ours
        p.join();
    }
    close_all();
    mp::Process p({.start_method = mp::StartMethod::fork}, look_at, take_the_numbers());
    p.start();
    p.join();
    throw mp::SystemExit(*p.exitcode());
}

}  // namespace

TEST_CASE("Process: started by one that has closed all its descriptors", "[process]") {
    bool const reused = GENERATE(false, true);
    CAPTURE(reused);
    mp::Process p({.start_method = mp::StartMethod::fork}, start_with_closed, reused);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
}

TEST_CASE("shared memory: a file under the number of its closed descriptor is left alone",
          "[process]") {
    constexpr std::size_t bytes = std::size_t{1} << 20;
    auto memory = mp::platform::SharedMemory::create(std::size_t{1} << 30, bytes);
    CHECK(memory.is_open());
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    REQUIRE(::ftruncate(::fileno(file), 4096) == 0);
    REQUIRE(::dup3(::fileno(file), memory.handle(), O_CLOEXEC) == memory.handle());
    CHECK_FALSE(memory.is_open());
    CHECK_FALSE(memory.grow(2 * bytes));
    CHECK_FALSE(memory.give_back(0, 4096));
    struct stat info {};
    CHECK(::fstat(::fileno(file), &info) == 0);
    CHECK(info.st_size == 4096);
    std::fclose(file);
    memory.data()[bytes - 1] = std::byte{1};  // what was there stays
}

TEST_CASE("Process: files under the numbers of closed descriptors reach a child", "[process]") {
    mp::Process p({.start_method = mp::StartMethod::fork}, let_a_child_look);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
}
