// SPDX-License-Identifier: MIT
// tests/platform/stream_test.cpp — byte streams and handles over them.
#include <multiprocessing/platform/stream.hpp>

#include <multiprocessing/errors.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;

namespace {

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(i * 7 % 251);
    }
    return bytes;
}

std::error_code code_of_write(platform::native_handle stream) {
    try {
        platform::write_all(stream, pattern(1));
    } catch (mp::OSError const& error) {
        return error.code();
    }
    return {};
}

}  // namespace

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

TEST_CASE("pipe_pair: carries bytes from a child", "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    test::Child child([&writer] {
        platform::write_all(writer.get(), pattern(300'000));
        return 0;
    });
    writer.reset();
    std::vector<std::byte> received(300'000);
    platform::read_all(reader.get(), received);
    CHECK(received == pattern(300'000));
    std::array<std::byte, 1> more{};
    CHECK(platform::read_some(reader.get(), more) == 0);
    CHECK(child.wait() == 0);
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

TEST_CASE("write_all: a lost reader is an error and never a signal", "[platform]") {
    CHECK(test::in_child([] {
              ::signal(SIGPIPE, SIG_DFL);
              auto [here, there] = platform::stream_pair();
              there.reset();
              auto [reader, writer] = platform::pipe_pair();
              reader.reset();
              bool const right = code_of_write(here.get()) == std::errc::broken_pipe &&
                                 code_of_write(writer.get()) == std::errc::broken_pipe;
              sigset_t pending;
              ::sigpending(&pending);
              return right && ::sigismember(&pending, SIGPIPE) == 0 ? 0 : 1;
          }) == 0);
}

TEST_CASE("send_handles: the receiver gets handles of the same objects", "[platform]") {
    auto const [here, there] = platform::stream_pair();
    auto [reader, writer] = platform::pipe_pair();
    test::Child child([&there] {
        auto const handles = platform::receive_handles(there.get(), 2);
        platform::write_all(handles[1].get(), pattern(9));
        return (::fcntl(handles[0].get(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1;
    });
    platform::send_handles(here.get(), std::vector{reader.get(), writer.get()});
    writer.reset();
    std::vector<std::byte> received(9);
    platform::read_all(reader.get(), received);
    CHECK(received == pattern(9));
    CHECK(child.wait() == 0);
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
