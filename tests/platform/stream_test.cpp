// SPDX-License-Identifier: MIT
// tests/platform/stream_test.cpp — byte streams and handles over them.
#include <multiprocessing/platform/stream.hpp>

#include <multiprocessing/errors.hpp>

#include "platform/stream_bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using test::pattern;

TEST_CASE("stream_pair: carries more than the system takes at once, both ways",
          "[platform][threads]") {
    auto const [here, there] = platform::stream_pair();
    auto const sent = pattern(3 << 20);
    std::thread echo([&there, size = sent.size()] {
        std::vector<std::byte> bytes(size);
        platform::read_all(there.get(), bytes);
        platform::write_all(there.get(), bytes);
    });
    platform::write_all(here.get(), sent);
    std::vector<std::byte> received(sent.size());
    platform::read_all(here.get(), received);
    echo.join();
    CHECK(received == sent);
}

TEST_CASE("read_all: a stream that ends too early is an EOFError", "[platform][threads]") {
    auto [here, there] = platform::stream_pair();
    platform::write_all(there.get(), pattern(3));
    there.reset();
    std::array<std::byte, 4> buffer{};
    CHECK_THROWS_AS(platform::read_all(here.get(), buffer), mp::EOFError);
}

TEST_CASE("read_some: a peer that left without reading is the end", "[platform][threads]") {
    auto [here, there] = platform::stream_pair();
    platform::write_all(here.get(), pattern(3));
    there.reset();
    std::array<std::byte, 4> buffer{};
    CHECK(platform::read_some(here.get(), buffer) == 0);
}

TEST_CASE("receive_handles: refuses another number of handles, and the end", "[platform]") {
    auto [here, there] = platform::stream_pair();
    platform::send_handles(here.get(), std::vector{here.get(), there.get()});
    CHECK_THROWS_AS(platform::receive_handles(there.get(), 1), mp::OSError);
    platform::write_all(here.get(), pattern(1));
    CHECK_THROWS_AS(platform::receive_handles(there.get(), 1), mp::OSError);
    CHECK_THROWS_AS(platform::send_handles(here.get(), {}), mp::ValueError);
    here.reset();
    CHECK_THROWS_AS(platform::receive_handles(there.get(), 1), mp::EOFError);
}

TEST_CASE("write_all: a lost reader is an error", "[platform][threads]") {
    auto [here, there] = platform::stream_pair();
    there.reset();
    CHECK(test::code_of_write(here.get()) == std::errc::broken_pipe);
    auto [reader, writer] = platform::pipe_pair();
    reader.reset();
    CHECK(test::code_of_write(writer.get()) == std::errc::broken_pipe);
}

TEST_CASE("write_all: a read that waits at the same end does not hold it up",
          "[platform][threads]") {
    auto const [here, there] = platform::stream_pair();
    std::array<std::byte, 1> got{};
    std::thread reader([&here, &got] { platform::read_all(here.get(), got); });
    platform::write_all(here.get(), pattern(2));
    std::array<std::byte, 2> sent{};
    platform::read_all(there.get(), sent);
    platform::write_all(there.get(), sent);
    reader.join();
    CHECK(got[0] == sent[0]);
}

TEST_CASE("send_handles: the receiver owns handles of the same objects", "[platform][threads]") {
    auto const [here, there] = platform::stream_pair();
    auto [reader, writer] = platform::pipe_pair();
    platform::send_handles(here.get(), std::vector{reader.get(), writer.get()});
    writer.reset();
    auto handles = platform::receive_handles(there.get(), 2);
    platform::write_all(handles[1].get(), pattern(9));
    handles[1].reset();
    std::array<std::byte, 10> received{};
    CHECK_THROWS_AS(platform::read_all(reader.get(), received), mp::EOFError);
    CHECK(received[8] == pattern(9)[8]);
}
