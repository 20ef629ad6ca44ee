// SPDX-License-Identifier: MIT
// tests/process/process_test.cpp — the life of a Process object, under every start method.
#include <multiprocessing/process/process.hpp>

#include <multiprocessing/context.hpp>
#include <multiprocessing/reduction/partial.hpp>

#include "support/capture.hpp"
#include "support/catch.hpp"
#include "support/killed.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <fmt/format.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::nothing, test::say_and_sleep, test::sleep_for_ever, test::thrown;

namespace {

using Report = std::tuple<std::string, int, int, std::string, bool, std::string>;
void report(mp::Queue<Report> q, int number, std::string text) {
    auto const me = mp::current_process();
    q.put({me.name(), *me.pid(), number, text, me.daemon(), fmt::format("{}", me)});
}

}  // namespace

TEST_CASE("Process: current_process is alive, not a daemon, and has our pid", "[process]") {
    // CPython: _TestProcess.test_current
    auto const current = mp::current_process();
    CHECK(current.name() == "MainProcess");
    CHECK(current.is_alive());
    CHECK_FALSE(current.daemon());
    CHECK_FALSE(current.authkey().empty());
    CHECK(current.ident() == static_cast<int>(mp::platform::process_id()));
    CHECK(current.exitcode() == std::nullopt);
    CHECK(fmt::format("{:r}", current) == "<_MainProcess name='MainProcess' parent=None started>");
    CHECK_FALSE(mp::parent_process());
}

TEST_CASE("Process: a whole life, with arguments and a name", "[process]") {
    // CPython: _TestProcess.test_process, test_args_argument, test_active_children
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    auto q = ctx.Queue<Report>();
    auto p = ctx.Process({.name = "some worker", .daemon = true}, report, q, 7, "text");
    CHECK_FALSE(p.is_alive());
    CHECK(p.exitcode() == std::nullopt);
    CHECK(p.pid() == std::nullopt);
    CHECK(p.daemon());
    CHECK(mp::active_children().empty());
    p.start();
    auto const [name, pid, number, text, daemon, repr] = q.get();
    CHECK(name == "some worker");
    CHECK(pid == *p.pid());
    CHECK(number == 7);
    CHECK(text == "text");
    CHECK(daemon);
    p.join();
    CHECK(p.exitcode() == 0);
    CHECK_FALSE(p.is_alive());
    CHECK(mp::active_children().empty());
    CHECK(test::no_process_left(before));
}

TEST_CASE("Process: names count the objects of the process that makes them", "[process]") {
    mp::Process const first(nothing), second(nothing);
    auto const made = std::stoi(first.name().substr(8));
    CHECK(first.name() == fmt::format("Process-{}", made));
    CHECK(second.name() == fmt::format("Process-{}", made + 1));
    CHECK(fmt::format("{}", first) == fmt::format("<Process name='Process-{}' parent={} initial>",
                                                  made, *mp::current_process().pid()));
}

TEST_CASE("Process: a context's processes have its name", "[process]") {
    auto const ctx = test::each_context();
    std::string const kind = ctx.start_method() == mp::StartMethod::fork    ? "ForkProcess"
                             : ctx.start_method() == mp::StartMethod::spawn ? "SpawnProcess"
                                                                            : "ForkServerProcess";
    auto const number = std::stoi(mp::Process(nothing).name().substr(8)) + 1;
    auto p = ctx.Process(nothing);
    CHECK(p.name() == fmt::format("{}-{}", kind, number));
    p.name("renamed");
    CHECK(test::run(p) == 0);
    p.close();
    CHECK(p.name() == "renamed");
    CHECK(fmt::format("{}", p) == fmt::format("<{} name='renamed' parent={} closed>", kind,
                                              *mp::current_process().pid()));
}

namespace {
void start_nested(mp::Queue<std::string> q, int depth) {
    q.put(mp::current_process().name());
    if (depth == 0) return;
    for (int i = 0; i < 2; ++i) {
        mp::Process p(start_nested, q, depth - 1);
        p.start();
        p.join();
    }
}
}  // namespace

TEST_CASE("Process: children start children and wait for them", "[process]") {
    // CPython: _TestProcess.test_recursion
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::string>();
    auto p = ctx.Process(start_nested, q, 2);
    auto const id = p.name().substr(p.name().find('-') + 1);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    CHECK(q.get() == p.name());
    for (auto const* tail : {":1", ":1:1", ":1:2", ":2", ":2:1", ":2:2"})
        CHECK(q.get() == "Process-" + id + tail);
}

TEST_CASE("Process: the daemon flag is the creator's unless given", "[process]") {
    // CPython: _TestProcess.test_daemon_argument
    CHECK_FALSE(mp::Process(nothing).daemon());
    CHECK(mp::Process({.daemon = true}, nothing).daemon());
    CHECK_FALSE(mp::Process({.daemon = false}, nothing).daemon());
    mp::Process p(nothing);
    p.daemon(true);
    CHECK(p.daemon());
}

namespace {
void tell_parent(mp::Queue<std::tuple<int, std::string, bool>> q) {
    auto const parent = mp::parent_process();
    q.put({*parent->pid(), parent->name(), parent->is_alive() && !parent->join(0s)});
}
}  // namespace

TEST_CASE("Process: parent_process knows pid and name of the parent", "[process]") {
    // CPython: _TestProcess.test_parent_process_attributes
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::tuple<int, std::string, bool>>();
    auto p = ctx.Process(tell_parent, q);
    p.start();
    p.join();
    auto const [pid, name, alive] = q.get();
    CHECK(pid == *mp::current_process().pid());
    CHECK(name == "MainProcess");
    CHECK(alive);
}

TEST_CASE("Process: terminate, kill and interrupt end a running child", "[process]") {
    // CPython: _TestProcess.test_terminate, test_kill, test_interrupt_no_handler
    auto const ctx = test::each_context();
    auto const [end, code] = GENERATE(std::pair{&mp::Process::terminate, -SIGTERM},
                                      std::pair{&mp::Process::kill, -test::kill_signal},
                                      std::pair{&mp::Process::interrupt, -SIGINT});
    if (end == &mp::Process::interrupt && !mp::platform::has_fork) return;  // only groups, there
    auto ready = ctx.Queue<int>();
    auto p = ctx.Process(say_and_sleep, ready);
    p.start();
    ready.get();
    CHECK(p.is_alive());
    CHECK(p.exitcode() == std::nullopt);
    CHECK(mp::active_children() == std::vector{p});
    CHECK_FALSE(p.join(0s));
    CHECK_FALSE(p.join(-1s));
    CHECK(p.is_alive());
    (p.*end)();
    CHECK(p.join(30s));
    CHECK(p.exitcode() == code);
    CHECK_FALSE(p.is_alive());
    CHECK(mp::active_children().empty());
    p.terminate();  // it is gone, nothing happens
    CHECK_THAT(p.repr(), ContainsSubstring(code == -SIGTERM   ? "stopped exitcode=-SIGTERM>"
                                           : code == -9      ? "stopped exitcode=-SIGKILL>"
                                                              : "stopped exitcode=-SIGINT>"));
}

TEST_CASE("Process: the sentinel is ready once the child has ended", "[process]") {
    // CPython: _TestProcess.test_sentinel
    auto const ctx = test::each_context();
    auto ready = ctx.Queue<int>();
    auto p = ctx.Process(say_and_sleep, ready);
    CHECK_THROWS_AS(p.sentinel(), mp::ValueError);
    p.start();
    ready.get();
    std::vector const handles{p.sentinel()};
    CHECK(mp::platform::poll_handles(handles, 0).empty());
    p.kill();
    CHECK(mp::platform::poll_handles(handles, 30'000'000'000).size() == 1);
    p.join();
}

TEST_CASE("Process: close refuses a running child and makes the object useless", "[process]") {
    // CPython: _TestProcess.test_close
    auto const ctx = test::each_context();
    auto ready = ctx.Queue<int>();
    auto p = ctx.Process(say_and_sleep, ready);
    p.start();
    ready.get();
    CHECK_THROWS_AS(p.close(), mp::ValueError);
    p.kill();
    p.join();
    p.close();
    CHECK(thrown([&] { (void)p.is_alive(); }) == "process object is closed");
    CHECK_THROWS_AS(p.join(), mp::ValueError);
    CHECK_THROWS_AS(p.terminate(), mp::ValueError);
    CHECK_THROWS_AS(p.start(), mp::ValueError);
    CHECK_THROWS_AS(p.pid(), mp::ValueError);
    CHECK_THROWS_AS(p.exitcode(), mp::ValueError);
    CHECK_THROWS_AS(p.sentinel(), mp::ValueError);
    CHECK_FALSE(p.name().empty());
    CHECK_THAT(p.repr(), ContainsSubstring(" closed>"));
    p.close();

    mp::Process never(nothing);
    never.close();
    CHECK_THROWS_AS(never.start(), mp::ValueError);
}

TEST_CASE("Process: what may not be done is an AssertionError", "[process]") {
    auto const ctx = test::each_context();
    auto p = ctx.Process(nothing);
    CHECK(thrown([&] { p.join(); }) == "can only join a started process");
    CHECK_THROWS_AS(p.terminate(), mp::AssertionError);
    p.start();
    CHECK(thrown([&] { p.start(); }) == "cannot start a process twice");
    CHECK(thrown([&] { p.daemon(true); }) == "process has already started");
    p.join();
    CHECK(thrown([&] { mp::current_process().start(); }) == "cannot start a process twice");
    CHECK(thrown([&] { mp::current_process().join(); }) == "can only join a child process");
}

TEST_CASE("Process: repr shows what became of it", "[process]") {
    auto const me = *mp::current_process().pid();
    mp::Process p({.name = "it's", .daemon = true}, nothing);
    CHECK(fmt::format("{}", p) ==
          fmt::format("<Process name=\"it's\" parent={} initial daemon>", me));
    p.start();
    auto const pid = *p.pid();
    p.join();
    CHECK(
        fmt::format("{}", p) ==
        fmt::format("<Process name=\"it's\" pid={} parent={} stopped exitcode=0 daemon>", pid, me));
}

TEST_CASE("Process: many at once all end well", "[process]") {
    // CPython: _TestProcess.test_many_processes
    auto const ctx = test::each_context();
    auto const n = ctx.start_method() == mp::StartMethod::fork ? 100 : 8;
    std::vector<mp::Process> short_ones, sleepers;
    for (int i = 0; i < n; ++i) short_ones.push_back(ctx.Process(nothing));
    for (auto& p : short_ones) p.start();
    for (auto& p : short_ones) p.join();
    for (auto const& p : short_ones) CHECK(p.exitcode() == 0);
    auto ready = ctx.Queue<int>();
    for (int i = 0; i < n; ++i) sleepers.push_back(ctx.Process(say_and_sleep, ready));
    for (auto& p : sleepers) p.start();
    for (int i = 0; i < n; ++i) ready.get();
    for (auto& p : sleepers) p.terminate();
    for (auto& p : sleepers) p.join();
    for (auto const& p : sleepers) CHECK(p.exitcode() == -SIGTERM);
}

TEST_CASE("Process: it drops target and arguments once it is started", "[process]") {
    // CPython: _TestProcess.test_lose_target_ref
    auto const value = std::make_shared<int>(3);
    std::weak_ptr const watched = value;
    mp::Process p(
        [](std::shared_ptr<int> a, std::shared_ptr<int> b) {
            if (a != b || *a != 3) throw mp::SystemExit(5);
        },
        value, value);
    CHECK(watched.use_count() == 3);
    p.start();
    CHECK(watched.use_count() == 1);
    p.join();
    CHECK(p.exitcode() == 0);
}

TEST_CASE("Process: any number of threads may wait for one child", "[process]") {
    auto const ctx = test::each_context();
    auto ready = ctx.Queue<int>();
    auto p = ctx.Process(say_and_sleep, ready);
    p.start();
    ready.get();
    std::vector<std::thread> threads;
    std::vector<std::optional<int>> codes(4);
    for (auto& code : codes)
        threads.emplace_back([&code, p]() mutable {
            p.join();
            code = p.exitcode();
        });
    p.kill();
    for (auto& thread : threads) thread.join();
    for (auto const& code : codes) CHECK(code == -test::kill_signal);
}

namespace {
struct Functor {
    int exit_code = 3;
    void operator()(int more) const { throw mp::SystemExit(exit_code + more); }
};
struct Greeter {
    void greet(int code) const { throw mp::SystemExit(code); }
};
}  // namespace

TEST_CASE("Process: targets may be lambdas, partials, functors and member functions", "[process]") {
    auto const ctx = test::each_context();
    std::vector<mp::Process> all{
        ctx.Process([](int code) { throw mp::SystemExit(code); }, 4),
        ctx.Process(mp::partial([](int a, int b) { throw mp::SystemExit(a + b); }, 1), 3),
        ctx.Process(Functor{}, 1),
        ctx.Process(&Greeter::greet, Greeter{}, 4),
    };
    for (auto& p : all) p.start();
    for (auto& p : all) {
        p.join();
        CHECK(p.exitcode() == 4);
    }
}

TEST_CASE("Process: it outlives the thread that has started it", "[process]") {
    auto const ctx = test::each_context();
    auto go = ctx.Queue<int>();
    auto p = ctx.Process([](mp::Queue<int> q) { throw mp::SystemExit(q.get()); }, go);
    std::thread([&p] { p.start(); }).join();
    CHECK_FALSE(p.join(100ms));  // not for ever: it would have ended with the thread
    CHECK(p.is_alive());
    go.put(9);
    CHECK(p.join(30s));
    CHECK(p.exitcode() == 9);
}

TEST_CASE("Process: threads may start and wait at the same time", "[process]") {
    auto const ctx = test::each_context();
    std::vector<std::thread> threads;
    std::vector<std::vector<std::optional<int>>> codes(4);
    for (auto& mine : codes)
        threads.emplace_back([&mine, ctx] {
            for (int i = 0; i < 5; ++i) {
                auto p = ctx.Process([](int code) { throw mp::SystemExit(code); }, i);
                p.start();
                p.join();
                mine.push_back(p.exitcode());
            }
        });
    for (auto& thread : threads) thread.join();
    for (auto const& mine : codes) CHECK(mine == std::vector<std::optional<int>>{0, 1, 2, 3, 4});
    CHECK(mp::active_children().empty());
}

TEST_CASE("Process: of many threads that start one object, one does", "[process]") {
    auto const ctx = test::each_context();
    auto p = ctx.Process(nothing);
    std::vector<std::string> errors(4);
    std::vector<std::thread> threads;
    for (auto& error : errors)
        threads.emplace_back([&error, p]() mutable { error = thrown([&] { p.start(); }); });
    for (auto& thread : threads) thread.join();
    CHECK(std::count(errors.begin(), errors.end(), "") == 1);
    CHECK(std::count(errors.begin(), errors.end(), "cannot start a process twice") == 3);
    CHECK(p.join(30s));
    CHECK(p.exitcode() == 0);
}

TEST_CASE("Process: active_children reaps what has ended", "[process]") {
    // CPython: _TestProcess.test_active_children
    auto const ctx = test::each_context();
    auto p = ctx.Process(nothing);
    p.start();
    CHECK(test::ends(mp::platform::Handle(mp::platform::duplicate(p.sentinel()))));
    CHECK(mp::active_children().empty());
    CHECK(mp::platform::liveness({*p.pid(), 0}) == mp::platform::Liveness::dead);
    CHECK(p.exitcode() == 0);
}

namespace {
void read_number(int expected) {
    if (mp::current_process().pid() != static_cast<int>(mp::platform::process_id()))
        throw mp::SystemExit(100);
    throw mp::SystemExit(expected);
}
void start_by_handle(mp::Queue<int> q) {
    mp::Process p(read_number, 3);
    p.start();
    {
        auto const copy = p;  // the last one but p
        mp::Process(read_number, 4).start();
    }
    p.join();
    q.put(*p.exitcode());
}
}  // namespace

TEST_CASE("Process: one whose object is gone is joined at the end of its parent", "[process]") {
    auto const ctx = test::each_context();
    auto q = ctx.Queue<int>();
    auto p = ctx.Process(start_by_handle, q);
    CHECK(test::run(p) == 0);
    CHECK(q.get() == 3);
}

namespace {
void print_child() { std::printf("child "); }
}  // namespace

TEST_CASE("Process: what was printed before the start stands before what it prints", "[process]") {
    auto const ctx = test::each_context();
    test::Capture capture(stdout);
    std::printf("parent ");
    auto p = ctx.Process(print_child);
    test::run(p);
    CHECK(capture.text() == "parent child ");
}
