// SPDX-License-Identifier: MIT
// tests/process/bootstrap_exit_test.cpp — how a process ends: codes, handlers, its own children.
#include <multiprocessing/process/bootstrap.hpp>

#include <multiprocessing/context.hpp>

#include "support/capture.hpp"
#include "support/catch.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

void leave(int how) {
    switch (how) {
    case 0: return;
    case 1: throw mp::SystemExit();
    case 2: throw mp::SystemExit(7);
    case 3: throw mp::SystemExit(true);
    case 4: throw mp::SystemExit(false);
    case 5: throw mp::SystemExit("what a pity");
    case 6: throw mp::ValueError("bad value");
    case 7: throw std::runtime_error("bad run");
    case 8: throw 42;
    case 9: std::exit(9);
    case 10: std::_Exit(10);
    case 11: throw mp::SystemExit(256 + 7);
    case 12: throw mp::SystemExit(-1);
    case 13: std::abort();
    }
}

struct Ending {
    std::optional<int> exitcode;
    std::string errors;
};

Ending run(mp::Process const& p) {
    test::CaptureStderr captured;
    auto const exitcode = test::run(p);
    return {exitcode, captured.text()};
}

}  // namespace

TEST_CASE("Process: exit codes follow what the target did", "[process]") {
    // CPython: _TestSubclassingProcess.test_sys_exit
    auto const ctx = test::each_context();
    constexpr bool has_bytes = mp::platform::has_fork;  // a status is one, or has 32 bits
    struct Case {
        int how, exitcode;
        char const* errors;
    };
    std::vector<Case> const cases{{0, 0, ""},
                                  {1, 0, ""},
                                  {2, 7, ""},
                                  {3, 1, ""},
                                  {4, 0, ""},
                                  {9, 9, ""},
                                  {10, 10, ""},
                                  {11, has_bytes ? 7 : 263, ""},
                                  {12, has_bytes ? 255 : -1, ""},
                                  {13, has_bytes ? -SIGABRT : 3, ""},
                                  {5, 1, "what a pity\n"},
                                  {6, 1, "ValueError: bad value\n"},
                                  {7, 1, "std::runtime_error: bad run\n"},
                                  {8, 1, "int: "}};
    for (auto const& c : cases) {
        auto p = ctx.Process({.name = "Wound"}, leave, c.how);
        auto const ending = run(p);
        INFO("way of leaving " << c.how << ": " << ending.errors);
        CHECK(ending.exitcode == c.exitcode);
        CHECK_THAT(ending.errors, ContainsSubstring(c.errors));
        if (c.how >= 6 && c.how <= 8)
            CHECK_THAT(ending.errors, Catch::Matchers::StartsWith("Process Wound:\n"));
    }
}

namespace {
void register_exit_handler(mp::Queue<int> q, bool by_exit) {
    static mp::Queue<int>& queue = *new mp::Queue<int>(q);
    std::atexit([] { queue.put(5); });
    mp::util::Finalize::at_exit(0, [] { queue.put(4); });
    if (by_exit) std::exit(3);
}
}  // namespace

TEST_CASE("Process: exit handlers of the child run in the child, however it ends", "[process]") {
    // CPython: _TestAtExit.test_atexit
    auto const ctx = test::each_context();
    bool const by_exit = GENERATE(false, true);
    auto q = ctx.Queue<int>();
    auto p = ctx.Process(register_exit_handler, q, by_exit);
    p.start();
    p.join();
    CHECK(p.exitcode() == (by_exit ? 3 : 0));
    CHECK(q.get(true, 0s) + q.get(true, 0s) == 9);
    CHECK(q.empty());
}

TEST_CASE("Process: a forked child runs nothing of its parent's exit", "[process][fork]") {
    mp::Queue<int> q;
    mp::util::Finalize const finalizer([q]() mutable { q.put(1); }, 10);
    bool const by_exit = GENERATE(false, true);
    static bool const registered =
        std::atexit([] { std::fputs("a handler of the parent\n", stderr); }) == 0;
    CHECK(registered);
    auto const ending = run(mp::get_context("fork").Process([by_exit] {
        if (by_exit) std::exit(0);
    }));
    CHECK(ending.exitcode == 0);
    CHECK(ending.errors.empty());
    CHECK(q.empty());
}

namespace {
void start_sleeper(mp::Queue<int> pids, bool daemon) {
    auto p = mp::Process(
        {.daemon = daemon},
        [](mp::Queue<int> q, bool forever) {
            q.put(*mp::current_process().pid());
            if (forever) std::this_thread::sleep_for(1h);
            q.put(-1);
        },
        pids, daemon);
    p.start();
    if (daemon) pids.put(pids.get());  // it runs
}
}  // namespace

TEST_CASE("Process: at its end a process terminates daemons and waits for the others",
          "[process]") {
    auto const ctx = test::each_context();
    bool const daemon = GENERATE(true, false);
    auto pids = ctx.Queue<int>();
    auto p = ctx.Process(start_sleeper, pids, daemon);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    auto const pid = pids.get(true, 0s);
    CHECK(mp::platform::liveness({pid, 0}) == mp::platform::Liveness::dead);
    if (!daemon) CHECK(pids.get(true, 0s) == -1);
    CHECK(pids.empty());
}

TEST_CASE("Process: a daemon may not have children", "[process]") {
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::string>();
    auto p = ctx.Process(
        {.daemon = true},
        [](mp::Queue<std::string> answers) {
            try {
                mp::Process([] {}).start();
            } catch (mp::AssertionError const& error) {
                answers.put(error.what());
            }
        },
        q);
    p.start();
    CHECK(q.get() == "daemonic processes are not allowed to have children");
    p.join();
}

TEST_CASE("Process: a child's stdin is at its end", "[process]") {
    auto const ctx = test::each_context();
    auto p = ctx.Process([] { throw mp::SystemExit(std::getchar() == EOF ? 3 : 4); });
    p.start();
    p.join();
    CHECK(p.exitcode() == 3);
}

namespace {
/// A std::jthread is joined by its destructor, also when SystemExit passes it.
void leave_thread(mp::Queue<std::string> q, bool detached) {
    if (detached) {
        std::thread(test::sleep_for_ever).detach();
        return;
    }
    std::jthread thread([q](std::stop_token stop) mutable {
        while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
        q.put("thread");
    });
    mp::util::Finalize::at_exit(0, [q]() mutable { q.put("exit"); });
    throw mp::SystemExit(2);
}
}  // namespace

TEST_CASE("Process: the child waits for the threads that its target owns, not for detached ones",
          "[process]") {
    // CPython: _TestProcess.test_wait_for_threads
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::string>();
    CHECK(test::run(ctx.Process(leave_thread, q, true)) == 0);
    CHECK(q.empty());
    CHECK(test::run(ctx.Process(leave_thread, q, false)) == 2);
    CHECK(q.get(true, 0s) == "thread");
    CHECK(q.get(true, 0s) == "exit");
}
