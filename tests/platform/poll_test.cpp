// SPDX-License-Identifier: MIT
// tests/platform/poll_test.cpp — waiting for handles of the system.
#include <multiprocessing/platform/poll.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace platform = multiprocessing::platform;
using platform::poll_handles;
using test::forever;
using Indexes = std::vector<std::size_t>;

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
    CHECK_THROWS_AS(poll_handles(std::vector{platform::invalid_handle}, 0),
                    multiprocessing::OSError);
    auto [reader, writer] = platform::pipe_pair();
    auto const closed = reader.get();
    reader.reset();
    CHECK_THROWS_AS(poll_handles(std::vector{closed}, 0), multiprocessing::OSError);
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

TEST_CASE("poll_handles: wakes for one of very many", "[platform][threads]") {
    std::vector<platform::Doorbell> bells(200);
    std::vector<platform::native_handle> handles;
    for (auto const& bell : bells) handles.push_back(bell.handle());
    CHECK(poll_handles(handles, 1'000'000).empty());
    std::thread ringer([&] { bells[150].ring(); });
    CHECK(poll_handles(handles, forever) == Indexes{150});
    ringer.join();
    bells[3].ring();
    CHECK(poll_handles(handles, forever) == Indexes{3, 150});
}

TEST_CASE("poll_handles: a stream wakes a thread that sleeps", "[platform][threads]") {
    auto [reader, writer] = platform::pipe_pair();
    std::vector const handles{reader.get()};
    Indexes seen;
    std::thread sleeper([&] { seen = poll_handles(handles, forever); });
    platform::write_all(writer.get(), std::vector{std::byte{1}});
    sleeper.join();
    CHECK(seen == Indexes{0});
    std::vector<std::byte> read(1);
    platform::read_all(reader.get(), read);
    CHECK(read[0] == std::byte{1});  // to look at it has not taken it
    std::thread at_end([&] { poll_handles(handles, forever); });
    writer.reset();
    at_end.join();
}
