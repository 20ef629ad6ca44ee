// SPDX-License-Identifier: MIT
// tests/synchronize/kill_barrier_test.cpp — a process is killed or stopped in the midst of a
// barrier.
#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/synchronize.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"
#include "synchronize/stage.hpp"

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace test::stepper;
using namespace std::chrono_literals;

namespace {

heap::Statistics baseline;
std::optional<mp::Barrier> barrier;
std::optional<mp::RawValue<int>> actions;
std::optional<test::Stage> stage;
std::vector<family::Child> others;

constexpr int passed = 0, broken_by_death = 3, broken_otherwise = 4;

int arrive() {
    try {
        barrier->wait();
        return passed;
    } catch (mp::BrokenBarrierError const& error) {
        return std::string(error.what()).find("ended") != std::string::npos ? broken_by_death
                                                                            : broken_otherwise;
    }
}

void start_other(std::uint64_t step) {
    others.push_back(family::start([step] {
        stage->await(step);
        return arrive();
    }));
}

void await_waiting(std::int64_t n) {
    mp::Deadline const deadline{mp::Timeout(10s)};
    while (barrier->n_waiting() != n) {
        expect(!deadline.expired(), "a party did not arrive");
        std::this_thread::yield();
    }
}

void set_up(std::uint64_t step) {
    for (auto const& other : std::exchange(others, {})) other.kill();
    barrier.reset();
    actions.reset();
    stage.reset();
    heap::sweep_dead();
    actions.emplace(0);
    stage.emplace();
    barrier.emplace(3, [] { actions->value() += 1; });
    baseline = family::at_rest();
    for (int i = 0; i < 2; ++i) start_other(step);
}

/// What the others' wait came to: the same for all. Somebody else arrives if the victim did not.
int join_others() {
    mp::Deadline const deadline{mp::Timeout(10s)};
    while (!heap::is_dead(others[0].stamp) || !heap::is_dead(others[1].stamp)) {
        expect(!deadline.expired(), "a party waits for ever");
        if (others.size() == 2 && barrier->n_waiting() == 2) {
            std::this_thread::sleep_for(60ms);  // longer than a death goes unnoticed
            if (barrier->n_waiting() == 2 && !trial().finished) start_other(0);
        }
        std::this_thread::sleep_for(100us);
    }
    auto const result = others[0].join();
    for (std::size_t i = 1; i < others.size(); ++i)
        expect(others[i].join() == result, "one party passed and another did not");
    others.clear();
    return result;
}

void check_next_round() {
    if (barrier->broken()) barrier->reset();
    for (int i = 0; i < 2; ++i) start_other(0);
    auto const before = actions->value();
    expect(arrive() == passed, "the next round is broken");
    expect(join_others() == passed, "the next round is broken for some");
    expect(actions->value() == before + 1, "not one action in a round");
    expect(barrier->n_waiting() == 0 && !barrier->broken(), "the barrier is not at rest");
    family::expect_at_rest(baseline);
}

}  // namespace

TEST_CASE("Kill: a Barrier is waited at", "[barrier][kill]") {
    Scenario s;
    s.name = "Barrier.wait";
    s.setup = [] { set_up(1); };
    s.warm_up = [] {
        mp::Barrier own(2);
        try {
            own.wait(1ms);
        } catch (mp::BrokenBarrierError const&) {}
    };
    s.operation = [] { arrive(); };
    s.partner = s.survive = [] { stage->reach(1); };
    s.check = [] {
        stage->reach(1);
        auto const result = join_others();
        expect(result != broken_otherwise, "the barrier was broken without a death");
        expect(result == passed || !trial().finished, "the victim passed and the others did not");
        check_next_round();
    };
    auto o = family::stepped();
    o.budget = 14s;
    verify(run(s, o));
}

TEST_CASE("Kill: the last party arrives at a Barrier", "[barrier][kill]") {
    Scenario s;
    s.name = "Barrier.wait, last";
    s.setup = [] {
        set_up(0);
        await_waiting(2);
    };
    s.operation = [] { arrive(); };
    s.survive = [] { (void)barrier->n_waiting(); };
    s.check = [] {
        auto const result = join_others();
        expect(result != broken_otherwise, "the barrier was broken without a death");
        expect(result == passed || !trial().finished, "the victim passed and the others did not");
        expect(result != passed || actions->value() >= 1, "passed without the action");
        check_next_round();
    };
    auto o = family::stepped();
    o.budget = 14s;
    verify(run(s, o));
}

TEST_CASE("Kill: a Barrier is aborted and reset", "[barrier][kill]") {
    Scenario s;
    s.name = "Barrier.abort, reset";
    s.setup = [] {
        set_up(0);
        await_waiting(2);
    };
    s.operation = s.second_operation = [] {
        barrier->abort();
        barrier->reset();
    };
    s.survive = [] {
        (void)barrier->n_waiting();
        barrier->reset();
    };
    s.check = [] {
        if (!trial().finished) barrier->abort();
        expect(join_others() == broken_otherwise, "who waited was not thrown out");
        check_next_round();
    };
    auto o = family::stepped();
    o.modes = {Mode::a_kill, Mode::b_stop_then_kill, Mode::c_stop_then_go_on, Mode::d_pair};
    o.max_pairs = 100;
    o.budget = 10s;
    verify(run(s, o));
}
