// SPDX-License-Identifier: MIT
// tests/platform/poll_posix_test.cpp — waiting while signals arrive.
#include <multiprocessing/platform/poll.hpp>

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <vector>

#include <signal.h>
#include <sys/time.h>

namespace platform = multiprocessing::platform;
using platform::poll_handles;

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
