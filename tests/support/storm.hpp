// SPDX-License-Identifier: MIT
// tests/support/storm.hpp — keeps roles alive as child processes and kills random ones.
//
// The roles' bodies share memory that the test made; a killed role is started again at once. While
// the storm blows, the test process watches a progress counter: the longest time it stood still is
// the longest stall.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace test::storm {

struct Role {
    std::string name;
    std::function<void()>
        body;  // in the child: works until it is killed, or until wind_down tells it to return
    std::size_t count = 1;  // how many processes play it
    bool mortal = true;     // false: never killed (a checker)
};

struct Kill {
    std::size_t number;
    std::string const& role;
    std::int64_t pid;  // dead and reaped
};

struct Plan {
    std::string name = {};
    std::vector<Role> roles = {};
    std::size_t kills = 200;
    std::chrono::milliseconds longest{10'000};    // ends the storm before all kills
    std::chrono::microseconds shortest_delay{0};  // between two kills
    std::chrono::microseconds longest_delay{5'000};
    std::uint64_t seed = 0;  // 0: from the clock; printed either way
    std::function<std::uint64_t()> progress =
        {};  // rises while the survivors get on; read in the test process
    std::chrono::milliseconds stall{10'000};  // a longer stall is a fault and ends the storm
    std::function<void(Kill const&)> on_kill =
        {};  // in the test process, before the role starts again
    std::function<void()> wind_down =
        {};  // tells the roles to return; without it they are all killed
    std::chrono::milliseconds patience{10'000};  // for the roles to return after wind_down
    std::function<std::int64_t()> fork = {};     // default ::fork
    std::function<void()> leave = {};  // default _exit(0): the end of a role that returned
};

struct Outcome {
    std::size_t kills = 0;
    std::size_t starts = 0;
    std::uint64_t seed = 0;
    double seconds = 0;
    std::chrono::microseconds longest_stall{0};
    std::vector<std::string>
        faults;  // a role that crashed, threw or left, a stall, a role that did not wind down

    bool ok() const { return faults.empty(); }
};

/// Blocks until the storm is over and no process of it is left. Prints a summary line.
Outcome run(Plan const& plan);

/// Fails the running Catch2 test case for each fault.
void verify(Outcome const& outcome);

}  // namespace test::storm
