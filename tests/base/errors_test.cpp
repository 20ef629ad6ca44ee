// SPDX-License-Identifier: MIT
// tests/base/errors_test.cpp — the exceptions.
#include <multiprocessing/errors.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>

namespace mp = multiprocessing;

static_assert(std::is_base_of_v<std::runtime_error, mp::Error>);
static_assert(std::is_base_of_v<mp::ProcessError, mp::TimeoutError>);
static_assert(std::is_base_of_v<mp::ProcessError, mp::BufferTooShort>);
static_assert(std::is_base_of_v<mp::ProcessError, mp::AuthenticationError>);
static_assert(std::is_base_of_v<mp::ProcessError, mp::WorkerLostError>);
static_assert(!std::is_base_of_v<mp::ProcessError, mp::Empty>);
static_assert(std::is_base_of_v<mp::Error, mp::OSError>);
static_assert(std::is_base_of_v<mp::Error, mp::RemoteError>);

TEST_CASE("Error: every exception is caught as one", "[base]") {
    CHECK_THROWS_AS(throw mp::Empty(), mp::Error);
    CHECK_THROWS_AS(throw mp::PicklingError("no"), std::runtime_error);
    CHECK(std::string(mp::Full().what()) == "queue is full");
}

TEST_CASE("WorkerLostError: tells a signal from a status", "[base]") {
    mp::WorkerLostError const killed(12, -9);
    CHECK(killed.pid() == 12);
    CHECK(killed.signal() == 9);
    CHECK(!killed.exit_code());
    CHECK(std::string(killed.what()) == "worker 12 was killed by signal 9 while it ran the task");

    mp::WorkerLostError const exited(12, 0);
    CHECK(!exited.signal());
    CHECK(exited.exit_code() == 0);

    mp::WorkerLostError const lost(12);
    CHECK(!lost.signal());
    CHECK(!lost.exit_code());
}

TEST_CASE("OSError: keeps the system's number", "[base]") {
    mp::OSError const error(std::make_error_code(std::errc::permission_denied), "open x: no");
    CHECK(error.code() == std::errc::permission_denied);
    CHECK(std::string(error.what()) == "open x: no");
}

TEST_CASE("RemoteError: keeps type, text and process", "[base]") {
    mp::RemoteError const error("std::range_error", "too far", 77);
    CHECK(error.type_name() == "std::range_error");
    CHECK(error.text() == "too far");
    CHECK(std::string(error.what()) == "too far");
    CHECK(error.pid() == 77);
}
