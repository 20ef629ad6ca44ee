// SPDX-License-Identifier: MIT
// tests/base/timeout_test.cpp — time-outs and deadlines.
#include <multiprocessing/timeout.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

TEST_CASE("Timeout: none is for ever, negative is zero", "[base]") {
    CHECK(mp::Timeout().is_forever());
    CHECK(mp::Timeout(std::nullopt).is_forever());
    CHECK(mp::Timeout(std::optional<std::chrono::seconds>()).is_forever());
    CHECK(mp::Timeout(std::optional(2s)).ns() == 2'000'000'000);
    CHECK(mp::Timeout(0s).is_zero());
    CHECK(mp::Timeout(-1s).is_zero());
    CHECK(mp::Timeout(-0.5s).is_zero());
}

TEST_CASE("Timeout: takes any duration and rounds up", "[base]") {
    using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
    CHECK(mp::Timeout(3ms).ns() == 3'000'000);
    CHECK(mp::Timeout(0.25s).ns() == 250'000'000);
    CHECK(mp::Timeout(Picoseconds(1)).ns() == 1);
    CHECK(mp::Timeout(1h) == mp::Timeout(3600s));
}

TEST_CASE("Timeout: what the clock cannot add is for ever", "[base]") {
    CHECK(mp::Timeout(std::chrono::hours::max()).is_forever());
    CHECK(mp::Timeout(std::chrono::nanoseconds::max()).is_forever());
    CHECK(mp::Timeout(std::chrono::duration<double>(std::numeric_limits<double>::infinity()))
              .is_forever());
    CHECK(mp::Timeout(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()))
              .is_zero());
    CHECK(mp::Timeout(std::chrono::years(200)).ns() < mp::Timeout::forever);
}

TEST_CASE("Deadline: expires, or never does", "[base]") {
    CHECK(mp::Deadline(mp::Timeout(0s)).expired());
    CHECK(mp::Deadline(mp::Timeout(0s)).remaining_ns() == 0);
    CHECK(!mp::Deadline(mp::Timeout()).expired());
    CHECK(mp::Deadline().is_never());
    CHECK(mp::Deadline().remaining_ns() == mp::Deadline::never);
    CHECK(mp::Deadline().remaining().is_forever());
    mp::Deadline const hour(1h);
    CHECK(!hour.expired());
    CHECK(hour.remaining_ns() <= 3'600'000'000'000);
    CHECK(hour.remaining_ns() > 3'500'000'000'000);
    CHECK(hour.remaining_ns(20'000'000) == 20'000'000);
    CHECK(hour < mp::Deadline());
}

TEST_CASE("Deadline: min is the earlier of a deadline and a slice from now", "[base]") {
    mp::Deadline const hour(1h);
    CHECK(min(hour, 1'000'000) < hour);
    CHECK(min(hour, 7'200'000'000'000) == hour);
    CHECK(min(mp::Deadline(), mp::Deadline::never).is_never());
    CHECK(!min(mp::Deadline(), 5).is_never());
    CHECK(mp::Deadline::at(5).expired());
}
