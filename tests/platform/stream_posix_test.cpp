// SPDX-License-Identifier: MIT
// tests/platform/stream_posix_test.cpp — streams to forked children, and SIGPIPE.
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "platform/stream_bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <signal.h>

namespace platform = multiprocessing::platform;
using test::code_of_write;
using test::pattern;

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

TEST_CASE("write_all: a lost reader is never a signal", "[platform]") {
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
