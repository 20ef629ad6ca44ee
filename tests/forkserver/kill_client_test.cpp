// SPDX-License-Identifier: MIT
// tests/forkserver/kill_client_test.cpp — a client is killed or stopped at every instruction of a
// start by forkserver; the others start on, and nothing is left.
#include <multiprocessing/context.hpp>

#include "forkserver/servers.hpp"
#include "heap/stepped.hpp"

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace test::stepper;

namespace {

std::optional<mp::heap::Statistics> baseline;
mp::Process* process = nullptr;  // the victim's; nothing of a victim is destroyed

void nothing() {}

void start_and_join() {
    auto p = test::context().Process(nothing);
    p.start();
    expect(p.join(std::chrono::seconds(20)), "a child of a survivor does not end");
    expect(p.exitcode() == 0, "a child of a survivor has failed");
}

bool is_at_rest() {
    mp::heap::sweep_dead();
    auto const now = family::at_rest();
    return test::used_cells() == 0 && test::stand_bys().size() == 2 &&
           now.slots == baseline->slots && now.blocks == baseline->blocks;
}

/// The server is woken: a claim that was cut short may have left it unaware that it has one
/// stand-by less, which the next start would tell it.
void expect_rest() {
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_at_rest()) {
        expect(std::chrono::steady_clock::now() < deadline, "a cell, a slot or a block is left");
        keep_alive();
        mp::forkserver::ring_server();
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
}

Options options() {
    auto result = family::stepped();
    result.budget = std::chrono::milliseconds(8'000);
    result.stride = 40;
    return result;
}

Scenario scenario() {
    Scenario s;
    s.setup = [] {
        process = nullptr;
        test::forkserver::ensure_running();
        if (!baseline) {
            start_and_join();
            expect(test::eventually([] {
                       return test::stand_bys().size() == 2 && test::used_cells() == 0;
                   }),
                   "the server is not ready");
            mp::heap::sweep_dead();
            baseline = family::at_rest();
        }
        expect_rest();
    };
    s.warm_up = [] {
        start_and_join();
        process = new mp::Process(test::context().Process(nothing));
    };
    s.survive = [] { start_and_join(); };
    s.check = [] {
        start_and_join();
        expect_rest();
    };
    return s;
}

}  // namespace

TEST_CASE("Process by forkserver: a client killed or stopped amid start", "[forkserver][kill]") {
    test::settle();
    baseline.reset();
    auto s = scenario();
    s.name = "forkserver start";
    s.operation = [] { process->start(); };
    verify(run(s, options()));
}

TEST_CASE("Process by forkserver: a client killed or stopped amid join", "[forkserver][kill]") {
    test::settle();
    baseline.reset();
    auto s = scenario();
    s.name = "forkserver join";
    s.warm_up = [] {
        start_and_join();
        process = new mp::Process(test::context().Process(nothing));
        process->start();
        std::vector const end{process->sentinel()};
        static_cast<void>(mp::platform::poll_handles(end, 20'000'000'000));
    };
    s.operation = [] { process->join(); };
    verify(run(s, options()));
}
