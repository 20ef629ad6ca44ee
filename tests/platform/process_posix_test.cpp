// SPDX-License-Identifier: MIT
// tests/platform/process_posix_test.cpp — fork, signals, descriptors.
#include <multiprocessing/platform/process.hpp>

#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using test::forever;

namespace {

std::string read_to_end(platform::native_handle stream) {
    std::string text;
    std::array<std::byte, 256> buffer{};
    while (std::size_t const got = platform::read_some(stream, buffer)) {
        text.append(reinterpret_cast<char const*>(buffer.data()), got);
    }
    return text;
}

std::vector<std::string> shell(std::string const& script) { return {"sh", "-c", script}; }

int sleep_until_killed() {
    auto const [reader, writer] = platform::pipe_pair();
    read_to_end(reader.get());
    return 0;
}

std::atomic<int> prepared{0};
std::atomic<int> in_parent{0};
std::atomic<int> in_the_child{0};

}  // namespace

TEST_CASE("fork_process: returns on both sides with the child's number", "[platform]") {
    REQUIRE(platform::has_fork);
    auto const parent = platform::process_id();
    platform::ForkResult const fork = platform::fork_process();
    if (fork.side == platform::ForkSide::child) {
        bool const right =
            fork.pid == platform::process_id() && platform::parent_process_id() == parent;
        platform::exit_process(right ? 42 : 1);
    }
    CHECK(fork.pid != parent);
    CHECK(platform::wait_process(fork.pid, forever) == 42);
}

TEST_CASE("wait_process: gives Python's exit codes", "[platform]") {
    CHECK(test::in_child([] { return 0; }) == 0);
    CHECK(test::in_child([] { return 255; }) == 255);
    using End = void (*)(std::int64_t);
    for (auto const& [end, code] : {std::pair<End, int>{platform::kill_process, -SIGKILL},
                                    {platform::terminate_process, -SIGTERM},
                                    {platform::interrupt_process, -SIGINT}}) {
        auto const [reader, writer] = platform::pipe_pair();
        test::Child child([&writer] {
            ::signal(SIGINT, SIG_DFL);  // the test framework's handlers would report a failure
            ::signal(SIGTERM, SIG_DFL);
            platform::write_all(writer.get(), std::vector{std::byte{1}});
            return sleep_until_killed();
        });
        std::array<std::byte, 1> ready{};
        platform::read_all(reader.get(), ready);
        CHECK(!child.wait(0));
        CHECK(!child.wait(1'000'000));
        end(child.pid());
        CHECK(child.wait() == code);
    }
}

TEST_CASE("fork_process: does not wait for a thread that holds a stream, and prints nothing twice",
          "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    test::Child child([&writer, &reader] {
        reader.reset();
        ::dup2(writer.get(), STDOUT_FILENO);
        writer.reset();
        ::setvbuf(stdout, nullptr, _IOFBF, 4096);
        std::fputs("once", stdout);
        auto const [wake, waker] = platform::pipe_pair();
        auto const [held, holder] = platform::pipe_pair();
        std::thread busy([&wake, &holder] {
            ::flockfile(stdout);
            platform::write_all(holder.get(), std::vector{std::byte{1}});
            std::array<std::byte, 1> byte{};
            platform::read_some(wake.get(), byte);
            ::funlockfile(stdout);
        });
        std::array<std::byte, 1> byte{};
        platform::read_some(held.get(), byte);
        platform::ForkResult const fork = platform::fork_process();
        if (fork.side == platform::ForkSide::child) {
            std::fputs(" and", stdout);
            std::fflush(stdout);
            platform::exit_process(0);
        }
        auto const code = platform::wait_process(fork.pid, test::patience_ns);
        platform::write_all(waker.get(), std::vector{std::byte{1}});
        busy.join();
        std::fflush(stdout);
        return code.value_or(1);
    });
    writer.reset();
    CHECK(read_to_end(reader.get()) == " andonce");
    CHECK(child.wait() == 0);
}

TEST_CASE("fork_process: what was printed before is printed once", "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    test::Child child([&writer] {
        ::dup2(writer.get(), STDOUT_FILENO);
        writer.reset();
        std::fputs("once", stdout);
        platform::ForkResult const fork = platform::fork_process();
        if (fork.side == platform::ForkSide::child) {
            std::fflush(stdout);
            platform::exit_process(0);
        }
        auto const code = platform::wait_process(fork.pid, test::patience_ns);
        std::fflush(stdout);
        return code.value_or(1);
    });
    writer.reset();
    CHECK(read_to_end(reader.get()) == "once");
    CHECK(child.wait() == 0);
}

TEST_CASE("spawn_process: only the handles of the list reach the program", "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    platform::Handle leaky(::fcntl(writer.get(), F_DUPFD, 50));  // inheritable by mistake
    auto const forgotten = std::to_string(leaky.get());
    auto const number = std::to_string(writer.get());
    auto const pid = platform::spawn_process(
        "/bin/sh", shell("ls /proc/$$/fd > /proc/$$/fd/" + number), std::vector{writer.get()});
    CHECK((::fcntl(writer.get(), F_GETFD) & FD_CLOEXEC) != 0);
    writer.reset();
    CHECK(platform::wait_process(pid, forever) == 0);
    leaky.reset();
    std::string const text = read_to_end(reader.get());
    std::set<std::string> seen;
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1) {
        seen.insert(text.substr(at, end - at));
    }
    CAPTURE(text);
    CHECK(seen.contains(number));
    CHECK(!seen.contains(forgotten));
    CHECK(seen.size() <= 5);  // the standard ones, the one of the list, one that the shell opens
}

TEST_CASE("spawn_process: passes arguments, exit code and a clean signal mask", "[platform]") {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    auto const pid = platform::spawn_process(
        "/bin/sh", {"sh", "-c", "test \"$1\" = 'a b' && kill -TERM $$", "sh", "a b"}, {});
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(platform::wait_process(pid, forever) == -SIGTERM);
}

TEST_CASE("use_null_stdin: reads find the end", "[platform]") {
    auto const [reader, writer] = platform::pipe_pair();
    platform::write_all(writer.get(), std::vector{std::byte{'x'}, std::byte{'y'}});
    CHECK(test::in_child([&reader] {
              ::dup2(reader.get(), STDIN_FILENO);
              if (std::getchar() != 'x') {
                  return 1;
              }
              platform::use_null_stdin();
              return std::getchar() == EOF ? 0 : 2;
          }) == 0);
}

TEST_CASE("at_fork: every fork runs the three handlers", "[platform]") {
    platform::at_fork([] { ++prepared; }, [] { ++in_parent; }, [] { ++in_the_child; });
    CHECK(test::in_child(
              [] { return prepared == 1 && in_the_child == 1 && in_parent == 0 ? 0 : 1; }) == 0);
    CHECK(prepared == 1);
    CHECK(in_parent == 1);
    CHECK(in_the_child == 0);
}
