// SPDX-License-Identifier: MIT
// tests/platform/process_test.cpp — starting, waiting for and ending processes.
#include <multiprocessing/platform/process.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/system.hpp>

#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using test::forever;

// What the cases below start this program for.
TEST_CASE("spawned: nothing", "[.]") { platform::exit_process(0); }
TEST_CASE("spawned: exit 255", "[.]") { platform::exit_process(255); }
TEST_CASE("spawned: sleep", "[.]") {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

TEST_CASE("wait_process: gives the status of a child that ended by itself", "[platform]") {
    CHECK(platform::wait_process(test::spawn("nothing"), forever) == 0);
    CHECK(platform::wait_process(test::spawn("exit 255"), forever) == 255);
}

TEST_CASE("wait_process: comes back when the time is over, and once the child is ended",
          "[platform]") {
    using End = void (*)(std::int64_t);
    for (End const end : {End{platform::terminate_process}, End{platform::kill_process}}) {
        auto const pid = test::spawn("sleep");
        CHECK(!platform::wait_process(pid, 0));
        CHECK(!platform::wait_process(pid, 1'000'000));
        CHECK(platform::liveness({pid, 0}) == platform::Liveness::alive);
        auto const handle = platform::open_process(pid);
        end(pid);
        if (handle) CHECK(platform::poll_handles(std::vector{handle.get()}, forever).size() == 1);
        auto const code = platform::wait_process(pid, forever);
        CHECK(code.value() < 0);
        if (end == End{platform::terminate_process}) CHECK(code == -SIGTERM);
        CHECK_NOTHROW(end(pid));
        CHECK(platform::liveness({pid, 0}) == platform::Liveness::dead);
    }
}

TEST_CASE("wait_process: one of several threads gets the status", "[platform]") {
    auto const pid = test::spawn("sleep");
    std::vector<int> results(3);
    std::vector<std::thread> threads;
    for (auto& result : results)
        threads.emplace_back([&result, pid] {
            try {
                result = platform::wait_process(pid, forever) == -SIGTERM ? 1 : -1;
            } catch (mp::OSError const& error) {
                result = error.code() == std::errc::no_child_process ? 0 : -1;
            }
        });
    platform::terminate_process(pid);
    for (auto& thread : threads) thread.join();
    CHECK(results[0] + results[1] + results[2] == 1);
}

TEST_CASE("wait_process: refuses what is no child", "[platform]") {
    auto const pid = test::spawn("nothing");
    CHECK(platform::wait_process(pid, forever) == 0);
    for (std::uint64_t const timeout : {std::uint64_t{0}, std::uint64_t{1000}, forever}) {
        try {
            platform::wait_process(pid, timeout);
            FAIL("it was reaped before");
        } catch (mp::OSError const& error) {
            CHECK(error.code() == std::errc::no_child_process);
        }
    }
    CHECK_THROWS_AS(platform::wait_process(0, 0), mp::ValueError);
    CHECK_THROWS_AS(platform::kill_process(-1), mp::ValueError);
}

TEST_CASE("kill_process: of a process that is gone does nothing", "[platform]") {
    auto const pid = test::spawn("nothing");
    CHECK(platform::wait_process(pid, forever) == 0);
    CHECK_NOTHROW(platform::kill_process(pid));
}

TEST_CASE("spawn_process: a program that is not there is an OSError with its name", "[platform]") {
    try {
        platform::spawn_process("/no/such/program", {"x"}, {});
        FAIL("it was started");
    } catch (mp::OSError const& error) {
        CHECK(error.code() == std::errc::no_such_file_or_directory);
        CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring("/no/such/program"));
    }
}
