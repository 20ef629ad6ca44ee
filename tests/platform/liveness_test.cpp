// SPDX-License-Identifier: MIT
// tests/platform/liveness_test.cpp — when a process counts as dead.
#include <multiprocessing/platform/liveness.hpp>

#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace platform = multiprocessing::platform;
using platform::Liveness;

namespace {

constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

/// Waits until the child has ended, and leaves it a zombie.
void wait_without_reaping(std::int64_t pid) {
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
}

/// A child that lives until it is killed.
int sleep_until_killed() {
    auto const [reader, writer] = platform::pipe_pair();
    std::byte byte[1];
    platform::read_some(reader.get(), byte);
    return 0;
}

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

    test::Child child(sleep_until_killed);
    auto const identity = platform::identity_of(child.pid());
    CHECK(identity.start_time != 0);
    CHECK(platform::liveness(identity) == Liveness::alive);
    CHECK(platform::liveness({child.pid(), 0}) == Liveness::alive);
}

TEST_CASE("liveness: a zombie is dead, and so is a reaped child", "[platform]") {
    test::Child child([] { return 0; });
    auto const identity = platform::identity_of(child.pid());
    wait_without_reaping(child.pid());
    CHECK(platform::liveness(identity) == Liveness::dead);
    CHECK(platform::liveness({child.pid(), 0}) == Liveness::dead);
    CHECK(child.wait() == 0);
    CHECK(platform::liveness(identity) == Liveness::dead);
    CHECK(platform::identity_of(child.pid()).start_time == 0);
}

TEST_CASE("liveness: a killed child is dead", "[platform]") {
    test::Child child(sleep_until_killed);
    auto const identity = platform::identity_of(child.pid());
    platform::kill_process(child.pid());
    wait_without_reaping(child.pid());
    CHECK(platform::liveness(identity) == Liveness::dead);
    CHECK(child.wait() == -9);
}

TEST_CASE("liveness: a process number that another process got since is dead", "[platform]") {
    test::Child child(sleep_until_killed);
    auto identity = platform::identity_of(child.pid());
    ++identity.start_time;
    CHECK(platform::liveness(identity) == Liveness::dead);
}

TEST_CASE("liveness: a process whose main thread ended lives while another thread does",
          "[platform]") {
    auto const [reader, writer] = platform::pipe_pair();
    test::Child child([&] {
        std::thread([&reader] {
            std::byte byte[1];
            platform::read_some(reader.get(), byte);
            platform::exit_process(7);
        }).detach();
        ::syscall(SYS_exit, 0);  // this thread only
        return 1;
    });
    auto const identity = platform::identity_of(child.pid());
    REQUIRE(test::eventually([&] {
        auto const stat = platform::detail::read_stat(child.pid());
        return stat && stat->state == 'Z';
    }));
    CHECK(platform::liveness(identity) == Liveness::alive);
    auto const handle = platform::open_process(child.pid());
    if (handle) {
        CHECK(platform::poll_handles(std::vector{handle.get()}, 0).empty());
    }
    platform::write_all(writer.get(), std::vector{std::byte{1}});
    wait_without_reaping(child.pid());
    CHECK(platform::liveness(identity) == Liveness::dead);
    CHECK(child.wait() == 7);
}

TEST_CASE("liveness: what cannot be known counts as alive", "[platform]") {
    CHECK(platform::liveness({0, 0}) == Liveness::alive);
    CHECK(platform::liveness({-1, 0}) == Liveness::alive);

    // An identity from another namespace: the number means somebody else there.
    test::Child child([] { return 0; });
    auto identity = platform::identity_of(child.pid());
    identity.start_time ^= std::uint64_t{1} << 60;
    CHECK(child.wait() == 0);
    CHECK(platform::liveness(identity) == Liveness::alive);
}

TEST_CASE("liveness: a command's name does not confuse the reader", "[platform]") {
    auto const stat = platform::detail::parse_stat(
        "42 (a) Z 1 (b)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 5 18 777 20 21\n");
    REQUIRE(stat);
    CHECK(stat->state == 'S');
    CHECK(stat->threads == 5);
    CHECK(stat->start_time == 777);
    CHECK(!platform::detail::parse_stat(""));
    CHECK(!platform::detail::parse_stat("42 (sh) S 1 2"));
}

TEST_CASE("open_process: the handle is ready once the process ended", "[platform]") {
    test::Child child(sleep_until_killed);
    auto const handle = platform::open_process(child.pid());
    if (!handle) {
        SKIP("this kernel has no pidfd");
    }
    CHECK(platform::poll_handles(std::vector{handle.get()}, 0).empty());
    platform::kill_process(child.pid());
    CHECK(platform::poll_handles(std::vector{handle.get()}, forever).size() == 1);
    CHECK(child.wait(0) == -9);
    CHECK(!platform::open_process(child.pid()));
}

TEST_CASE("liveness: works where the system has no process handles", "[platform]") {
    WithoutProcessHandles const without;
    test::Child child(sleep_until_killed);
    auto const identity = platform::identity_of(child.pid());
    CHECK(!platform::open_process(child.pid()));
    CHECK(platform::liveness(identity) == Liveness::alive);
    CHECK(!child.wait(2'000'000));
    platform::kill_process(child.pid());
    CHECK(test::eventually([&] { return platform::liveness(identity) == Liveness::dead; }));
    CHECK(child.wait() == -9);
}
