// SPDX-License-Identifier: MIT
// tests/platform/poll_test.cpp — waiting for handles of the system.
#include <multiprocessing/platform/poll.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/time.h>

namespace platform = multiprocessing::platform;
using platform::poll_handles;
using Indexes = std::vector<std::size_t>;

namespace {

constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("poll_handles: tells which are readable, in order", "[platform][threads]") {
    auto const [first, first_writer] = platform::pipe_pair();
    auto const [second, second_writer] = platform::pipe_pair();
    auto const [third, third_writer] = platform::pipe_pair();
    std::vector const handles{first.get(), second.get(), third.get()};
    CHECK(poll_handles(handles, 0).empty());
    platform::write_all(third_writer.get(), std::vector{std::byte{1}});
    platform::write_all(first_writer.get(), std::vector{std::byte{1}});
    CHECK(poll_handles(handles, forever) == Indexes{0, 2});
}

TEST_CASE("poll_handles: a stream at its end is ready", "[platform][threads]") {
    auto [reader, writer] = platform::pipe_pair();
    writer.reset();
    CHECK(poll_handles(std::vector{reader.get()}, forever) == Indexes{0});
}

TEST_CASE("poll_handles: comes back empty when the time is over", "[platform][threads]") {
    auto const [reader, writer] = platform::pipe_pair();
    std::uint64_t const start = platform::monotonic_ns();
    CHECK(poll_handles(std::vector{reader.get()}, 5'000'000).empty());
    CHECK(platform::monotonic_ns() - start >= 5'000'000);
    CHECK(poll_handles({}, 1'000).empty());
}

TEST_CASE("poll_handles: refuses what is no handle", "[platform]") {
    CHECK_THROWS_AS(poll_handles(std::vector{-1}, 0), multiprocessing::OSError);
    auto [reader, writer] = platform::pipe_pair();
    int const closed = reader.get();
    reader.reset();
    CHECK_THROWS_AS(poll_handles(std::vector{closed}, 0), multiprocessing::OSError);
}

TEST_CASE("poll_handles: signals do not lengthen the wait", "[platform]") {
    CHECK(test::in_child([] {
              struct sigaction action {};
              action.sa_handler = [](int) {};
              ::sigaction(SIGALRM, &action, nullptr);
              itimerval const ticks{{0, 1000}, {0, 1000}};
              ::setitimer(ITIMER_REAL, &ticks, nullptr);
              auto const [reader, writer] = platform::pipe_pair();
              std::uint64_t const start = platform::monotonic_ns();
              bool const empty = poll_handles(std::vector{reader.get()}, 30'000'000).empty();
              return empty && platform::monotonic_ns() - start >= 30'000'000 ? 0 : 1;
          }) == 0);
}

TEST_CASE("Doorbell: rings until it is drained", "[platform][threads]") {
    platform::Doorbell bell;
    std::vector const handles{bell.handle()};
    CHECK(poll_handles(handles, 0).empty());
    bell.ring();
    bell.ring();
    CHECK(poll_handles(handles, forever).size() == 1);
    CHECK(poll_handles(handles, 0).size() == 1);
    bell.drain();
    CHECK(poll_handles(handles, 0).empty());
    bell.drain();  // of a silent bell: does not block
}

TEST_CASE("Doorbell: wakes a thread that polls", "[platform][threads]") {
    platform::Doorbell bell;
    std::thread sleeper([&] { poll_handles(std::vector{bell.handle()}, forever); });
    bell.ring();
    sleeper.join();
}
