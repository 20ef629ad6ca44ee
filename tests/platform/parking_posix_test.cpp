// SPDX-License-Identifier: MIT
// tests/platform/parking_posix_test.cpp — sleeping and signals, which Windows has not.
#include <multiprocessing/platform/parking.hpp>

#include <multiprocessing/platform/clock.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstdint>

#include <signal.h>
#include <sys/time.h>

namespace platform = multiprocessing::platform;
using platform::Parked;
using Word = std::atomic<std::uint32_t>;

TEST_CASE("park: signals neither end nor lengthen the sleep", "[platform]") {
    CHECK(test::in_child([] {
              struct sigaction action {};
              action.sa_handler = [](int) {};  // without SA_RESTART: every tick is an EINTR
              ::sigaction(SIGALRM, &action, nullptr);
              itimerval const ticks{{0, 1000}, {0, 1000}};
              ::setitimer(ITIMER_REAL, &ticks, nullptr);
              Word word{0};
              std::uint64_t const start = platform::monotonic_ns();
              Parked const end = platform::park(word, 0, 30'000'000);
              std::uint64_t const passed = platform::monotonic_ns() - start;
              return end == Parked::timed_out && passed >= 30'000'000 ? 0 : 1;
          }) == 0);
}
