// SPDX-License-Identifier: MIT
// tests/platform/liveness_posix_test.cpp — zombies, and what /proc tells.
#include <multiprocessing/platform/liveness.hpp>

#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace platform = multiprocessing::platform;
using platform::Liveness;

namespace {

/// Waits until the child has ended, and leaves it a zombie.
void wait_without_reaping(std::int64_t pid) {
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
}

}  // namespace

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
