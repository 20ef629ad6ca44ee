// SPDX-License-Identifier: MIT
// tests/support_self/storm_test.cpp — the storm kills, restarts, measures and reports.
#include "support/catch.hpp"
#include "support/storm.hpp"

#if __has_include(<sys/wait.h>)

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>
#include <set>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace storm = test::storm;

namespace {

struct Board {
    std::atomic<std::uint64_t> count;
    std::atomic<std::uint32_t> lock;
    std::atomic<bool> over;
};

Board& board() {
    static void* const memory =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return *static_cast<Board*>(memory);
}

bool no_child_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

storm::Plan plan_named(char const* name) {
    new (&board()) Board{};
    storm::Plan plan{.name = name};
    plan.longest_delay = std::chrono::milliseconds(2);
    plan.longest = std::chrono::seconds(20);
    plan.progress = [] { return board().count.load(); };
    plan.wind_down = [] { board().over = true; };
    return plan;
}

void count_up() {
    while (!board().over) {
        board().count.fetch_add(1);
    }
}

void count_under_spin_lock() {
    while (!board().over) {
        while (board().lock.exchange(1) != 0 && !board().over) {}
        board().count.fetch_add(1);
        board().lock = 0;
    }
}

}  // namespace

TEST_CASE("storm: kills as often as planned, and starts the killed again", "[storm]") {
    storm::Plan plan = plan_named("counters");
    std::set<std::string> killed;
    plan.roles = {
        {"two counters", count_up, 2}, {"one counter", count_up}, {"immortal", count_up, 1, false}};
    plan.kills = 100;
    plan.on_kill = [&](storm::Kill const& kill) {
        killed.insert(kill.role);
        CHECK(::kill(static_cast<pid_t>(kill.pid), 0) == -1);
    };
    storm::Outcome const outcome = storm::run(plan);
    storm::verify(outcome);
    CHECK(outcome.kills == 100);
    CHECK(outcome.starts == 104);
    CHECK(killed == std::set<std::string>{"two counters", "one counter"});
    CHECK(outcome.longest_stall < plan.stall);
    CHECK(no_child_left());
}

TEST_CASE("storm: a lock that dies with its owner shows as a stall", "[storm]") {
    storm::Plan plan = plan_named("spin lock");
    plan.roles = {{"holder", count_under_spin_lock, 2}};
    plan.kills = 100'000;
    plan.stall = std::chrono::milliseconds(300);
    plan.wind_down = nullptr;
    storm::Outcome const outcome = storm::run(plan);
    REQUIRE(outcome.faults.size() == 1);
    CHECK_THAT(outcome.faults[0], Catch::Matchers::ContainsSubstring("no progress for"));
    CHECK(no_child_left());
}

TEST_CASE("storm: a role that crashes or does not wind down is a fault", "[storm]") {
    storm::Plan plan = plan_named("bad roles");
    plan.kills = 3;
    plan.roles = {{"crasher", [] { ::_exit(3); }}, {"counter", count_up}};
    CHECK_FALSE(storm::run(plan).ok());
    plan = plan_named("deaf role");
    plan.kills = 3;
    plan.patience = std::chrono::milliseconds(50);
    plan.roles = {{"deaf", [] {
                       for (;;) {
                           board().count.fetch_add(1);
                       }
                   }}};
    storm::Outcome const outcome = storm::run(plan);
    REQUIRE(outcome.faults.size() == 1);
    CHECK_THAT(outcome.faults[0], Catch::Matchers::ContainsSubstring("did not wind down"));
    CHECK(no_child_left());
}

#endif
