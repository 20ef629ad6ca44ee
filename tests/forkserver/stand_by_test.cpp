// SPDX-License-Identifier: MIT
// tests/forkserver/stand_by_test.cpp — children of the fork server, as those who start them see it.
#include <multiprocessing/forkserver/stand_by.hpp>

#include "forkserver/servers.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace mp = multiprocessing;

namespace {

void sleep_on() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}
void tell_family(mp::Queue<std::string> q) {
    q.put(mp::current_process().name());
    q.put(mp::parent_process()->name());
    q.put(std::to_string(*mp::parent_process()->pid()));
    q.put(std::to_string(::getppid()));
    q.put(mp::get_start_method());
    q.put(std::filesystem::current_path().string());
}
void start_another(mp::Queue<std::string> q) {
    mp::Process p(tell_family, q);
    p.start();
    p.join();
    q.put(std::to_string(::getpid()));
}
void leave_by(std::string way) {
    if (way == "return") return;
    if (way == "SystemExit") throw mp::SystemExit(5);
    if (way == "exit") std::exit(6);
    if (way == "_exit") ::_exit(7);
    if (way == "minus") throw mp::SystemExit(-1);
    if (way == "SIGKILL") ::raise(SIGKILL);
    if (way == "SIGTERM") ::raise(SIGTERM);
}

std::size_t descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] auto const& entry :
         std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("forkserver: the child's parent is who started it", "[forkserver]") {
    auto const ctx = test::context();
    mp::Queue<std::string> q;
    auto p = ctx.Process({.name = "a child"}, tell_family, q);
    p.start();
    CHECK(q.get() == "a child");
    CHECK(q.get() == "MainProcess");
    CHECK(q.get() == std::to_string(::getpid()));
    CHECK(q.get() == std::to_string(test::server_pid()));
    CHECK(q.get() == "forkserver");
    CHECK(q.get() == std::filesystem::current_path().string());
    p.join();
    CHECK(p.exitcode() == 0);
}

TEST_CASE("forkserver: a grandchild comes from the same server", "[forkserver]") {
    auto const ctx = test::context();
    mp::Queue<std::string> q;
    auto p = ctx.Process({.name = "middle"}, start_another, q);
    p.start();
    std::vector<std::string> told;
    for (int i = 0; i < 7; ++i) told.push_back(q.get());
    p.join();
    CHECK_THAT(told[0], Catch::Matchers::EndsWith(":1"));
    CHECK(told[1] == "middle");
    CHECK(told[2] == told[6]);
    CHECK(told[3] == std::to_string(test::server_pid()));
}

TEST_CASE("forkserver: the child works in the directory of who started it", "[forkserver]") {
    auto const ctx = test::context();
    test::settle();
    auto const before = std::filesystem::current_path();
    std::filesystem::current_path("/");
    mp::Queue<std::string> q;
    auto p = ctx.Process(tell_family, q);
    p.start();
    p.join();
    std::filesystem::current_path(before);
    std::string last;
    while (!q.empty()) last = q.get();
    CHECK(last == "/");
}

TEST_CASE("forkserver: exit codes", "[forkserver]") {
    auto const ctx = test::context();
    auto const [way, code] = GENERATE(table<std::string, int>({{"return", 0},
                                                              {"SystemExit", 5},
                                                              {"exit", 6},
                                                              {"_exit", 7},
                                                              {"minus", 255},
                                                              {"SIGKILL", -SIGKILL},
                                                              {"SIGTERM", -SIGTERM}}));
    auto p = ctx.Process(leave_by, way);
    p.start();
    CHECK(p.join());
    CHECK(p.exitcode() == code);
    CHECK_FALSE(p.is_alive());
}

TEST_CASE("forkserver: a child is seen, signalled and waited for", "[forkserver]") {
    auto const ctx = test::context();
    auto p = ctx.Process(sleep_on);
    p.start();
    CHECK(p.is_alive());
    CHECK(mp::active_children().size() == 1);
    CHECK_FALSE(p.join(std::chrono::milliseconds(20)));
    CHECK(p.exitcode() == std::nullopt);
    std::vector const handles{p.sentinel()};
    CHECK(mp::platform::poll_handles(handles, 0).empty());
    p.terminate();
    CHECK(mp::platform::poll_handles(handles, 20'000'000'000).size() == 1);
    p.join();
    CHECK(p.exitcode() == -SIGTERM);
    CHECK(mp::active_children().empty());
}

TEST_CASE("forkserver: a child that is done is told to its own children only", "[forkserver]") {
    auto const ctx = test::context();
    mp::Value<int> order(0);
    auto p = ctx.Process(
        [](mp::Value<int> value) {
            auto const fork = mp::get_context("fork");
            auto q = fork.Process([value]() mutable { value.value() = 1; });
            q.start();
            q.join();
            if (q.exitcode() == 0 && value.value() == 1) value.value() = 2;
            std::exit(9);
        },
        order);
    p.start();
    p.join();
    CHECK(order.value() == 2);
    CHECK(p.exitcode() == 9);
}

TEST_CASE("forkserver: 300 starts leave nothing behind", "[forkserver]") {
    auto const ctx = test::context();
    auto const run = [&](int n) {
        for (int i = 0; i < n; ++i) {
            auto p = ctx.Process([] {});
            p.start();
            p.join();
            REQUIRE(p.exitcode() == 0);
        }
        test::settle();
        mp::heap::sweep_dead();
    };
    run(20);
    auto const before = mp::heap::statistics();
    auto const open = descriptors();
    run(300);
    auto const after = mp::heap::statistics();
    CHECK(after.slots == before.slots);
    CHECK(after.blocks == before.blocks);
    CHECK(descriptors() == open);
    CHECK(test::used_cells() == 0);
}

TEST_CASE("forkserver: many threads start at once", "[forkserver]") {
    auto const ctx = test::context();
    mp::Value<int> count(0);
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 10; ++i) {
                    auto p = ctx.Process(
                        [](mp::Value<int> value) {
                            std::scoped_lock guard(value.get_lock());
                            ++value.value();
                        },
                        count);
                    p.start();
                    p.join();
                    if (p.exitcode() != 0) ++failed;
                }
            });
    }
    CHECK(failed == 0);
    CHECK(count.value() == 80);
}

TEST_CASE("forkserver: a pool's workers come from the server", "[forkserver]") {
    auto pool = test::context().Pool(2);
    CHECK(pool.apply([] { return static_cast<int>(::getppid()); }) == test::server_pid());
    CHECK(pool.map([](int x) { return x * x; }, {1, 2, 3}) == std::vector{1, 4, 9});
}
