// SPDX-License-Identifier: MIT
// tests/platform/liveness_test.cpp — when a process counts as dead.
#include <multiprocessing/platform/liveness.hpp>

#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>

#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <vector>

namespace platform = multiprocessing::platform;
using platform::Liveness;
using test::forever;

namespace {

struct WithoutProcessHandles {
    WithoutProcessHandles() { platform::simulate_missing_process_handles(true); }
    ~WithoutProcessHandles() { platform::simulate_missing_process_handles(false); }
};

}  // namespace

TEST_CASE("liveness: this process and a running child are alive", "[platform]") {
    CHECK(platform::this_process().pid == platform::process_id());
    CHECK(platform::this_process().start_time != 0);
    CHECK(platform::this_process() == platform::identity_of(platform::process_id()));
    CHECK(platform::liveness(platform::this_process()) == Liveness::alive);

    test::Spawned child("sleep");
    auto const identity = platform::identity_of(child.pid());
    CHECK(identity.start_time != 0);
    CHECK(platform::liveness(identity) == Liveness::alive);
    CHECK(platform::liveness({child.pid(), 0}) == Liveness::alive);
}

TEST_CASE("liveness: a killed child is dead", "[platform]") {
    test::Spawned child("sleep");
    auto const identity = platform::identity_of(child.pid());
    platform::kill_process(child.pid());
    CHECK(test::eventually([&] { return platform::liveness(identity) == Liveness::dead; }));
    CHECK(child.wait().value() < 0);
    CHECK(platform::liveness(identity) == Liveness::dead);
    CHECK(platform::liveness({identity.pid, 0}) == Liveness::dead);
}

TEST_CASE("liveness: a process number that another process got since is dead", "[platform]") {
    test::Spawned child("sleep");
    auto identity = platform::identity_of(child.pid());
    ++identity.start_time;
    CHECK(platform::liveness(identity) == Liveness::dead);
}

TEST_CASE("open_process: the handle is ready once the process ended", "[platform]") {
    test::Spawned child("sleep");
    auto const handle = platform::open_process(child.pid());
    if (!handle) {
        SKIP("this system has no handles of processes");
    }
    CHECK(platform::poll_handles(std::vector{handle.get()}, 0).empty());
    platform::kill_process(child.pid());
    CHECK(platform::poll_handles(std::vector{handle.get()}, forever).size() == 1);
    std::int64_t const pid = child.pid();
    CHECK(child.wait(0).value() < 0);
    auto const late = platform::open_process(pid);  // as long as somebody has a handle
    if (late) CHECK(platform::poll_handles(std::vector{late.get()}, 0).size() == 1);
}

TEST_CASE("liveness: works where the system has no process handles", "[platform]") {
    WithoutProcessHandles const without;
    test::Spawned child("sleep");
    auto const identity = platform::identity_of(child.pid());
    CHECK(!platform::open_process(child.pid()));
    CHECK(platform::liveness(identity) == Liveness::alive);
    CHECK(!child.wait(2'000'000));
    platform::kill_process(child.pid());
    CHECK(test::eventually([&] { return platform::liveness(identity) == Liveness::dead; }));
    CHECK(child.wait().value() < 0);
}

TEST_CASE("liveness: a number that is nobody's says nothing", "[platform]") {
    CHECK(platform::liveness({0, 0}) == Liveness::alive);
    CHECK(platform::liveness({-1, 0}) == Liveness::alive);
    CHECK(!platform::open_process(0));
}
