// SPDX-License-Identifier: MIT
// tests/platform/clock_test.cpp — the monotonic clock.
#include <multiprocessing/platform/clock.hpp>

#include <multiprocessing/timeout.hpp>

#include "support/catch.hpp"

namespace mp = multiprocessing;

TEST_CASE("monotonic_ns: never goes back and is the clock of Deadline", "[platform][threads]") {
    std::uint64_t last = mp::platform::monotonic_ns();
    for (int i = 0; i < 1000; ++i) {
        std::uint64_t const now =
            i % 2 == 0 ? mp::Deadline::now_ns() : mp::platform::monotonic_ns();
        REQUIRE(now >= last);
        last = now;
    }
}
