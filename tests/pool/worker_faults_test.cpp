// SPDX-License-Identifier: MIT
// tests/pool/worker_faults_test.cpp — where a worker may die, and whom that concerns.
#include <multiprocessing/pool/worker.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/in_use.hpp"
#include "support/killed.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

enum class Fault : int { none, dies_loading, dies_dumping, throws_loading, throws_dumping };

/// Does it where it is asked to, but only in a worker.
struct Trap {
    Fault fault = Fault::none;
    int value = 0;
    std::int64_t home = mp::platform::process_id();

    bool away() const { return mp::platform::process_id() != home; }
};

int value_of(Trap const& trap) { return trap.value; }
Trap make_trap(int fault, std::int64_t home) { return {static_cast<Fault>(fault), 7, home}; }
int square(int x) { return x * x; }
int die_if_odd(int x) {
    if (x % 2 != 0) test::die();
    return x;
}
std::int64_t pid_of(int) { return mp::platform::process_id(); }
int wait_for(mp::Event begun, mp::Event gate, int x) {
    begun.set();
    gate.wait();
    return x;
}
int note_and_wait(mp::Value<int> runs, mp::Event gate, int x) {
    {
        std::scoped_lock guard(runs.get_lock());
        ++runs.value();
    }
    gate.wait();
    return x;
}
void throw_much(int) { throw std::runtime_error(std::string(1 << 20, 'x')); }
struct NotPicklable : std::exception {
    char const* what() const noexcept override { return "of a type that nobody knows"; }
};
int throw_unknown(int) { throw NotPicklable{}; }

template <class Result>
std::optional<int> killed_by(Result const& result) {
    try {
        result.get();
    } catch (mp::WorkerLostError const& error) {
        return error.signal();
    }
    return std::nullopt;
}

}  // namespace

template <>
struct mp::pickle<Trap> {
    static void dump(Writer& out, Trap const& trap) {
        if (trap.away() && trap.fault == Fault::dies_dumping) test::die();
        if (trap.fault == Fault::throws_dumping) throw std::domain_error("cannot be written");
        out.write(trap.fault);
        out.write(trap.value);
        out.write(trap.home);
    }
    static Trap load(Reader& in) {
        Trap trap{in.read<Fault>(), in.read<int>(), in.read<std::int64_t>()};
        if (trap.away() && trap.fault == Fault::dies_loading) test::die();
        if (trap.fault == Fault::throws_loading) throw std::range_error("cannot be rebuilt");
        return trap;
    }
};

TEST_CASE("Pool: a worker that dies between taking a task and starting it", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    auto const lost = pool.apply_async(value_of, Trap{Fault::dies_loading, 1});
    auto const kept = pool.map_async(square, std::views::iota(0, 20), {.chunksize = 1});
    CHECK(killed_by(lost) == test::kill_signal);
    CHECK(kept.get().size() == 20);
    CHECK(pool.apply(value_of, Trap{Fault::none, 3}) == 3);
}

TEST_CASE("Pool: a worker that dies while it writes a result", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    auto const home = mp::platform::process_id();
    auto const lost =
        pool.apply_async(make_trap, static_cast<int>(Fault::dies_dumping), home);
    CHECK(killed_by(lost) == test::kill_signal);
    CHECK(pool.apply(make_trap, 0, home).value == 7);
    // An element of a map takes its chunk with it, and no other.
    auto results = pool.imap(die_if_odd, {0, 1, 2});
    CHECK(results.next() == 0);
    CHECK_THROWS_AS(results.next(), mp::WorkerLostError);
    CHECK(results.next() == 2);
}

TEST_CASE("Pool: a worker that is killed when it is idle costs nothing", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    for (int round = 0; round < 5; ++round) {
        auto const pid = pool.apply(pid_of, 0);
        auto const identity = mp::platform::identity_of(pid);
        mp::platform::kill_process(pid);
        CHECK(test::eventually([&] {
            return mp::platform::liveness(identity) == mp::platform::Liveness::dead;
        }));
        CHECK(pool.map(square, {1, 2, 3}, {.chunksize = 1}) == std::vector{1, 4, 9});
    }
}

TEST_CASE("Pool: a task that keeps killing workers fails alone", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    auto const poison = pool.apply_async({.retries = 3}, die_if_odd, 1);
    auto const others = pool.map_async(square, std::views::iota(0, 50), {.chunksize = 1});
    CHECK(killed_by(poison) == test::kill_signal);
    CHECK(others.get().size() == 50);
    try {
        pool.map(die_if_odd, {0, 2, 5, 6}, {.chunksize = 1});
        FAIL("a chunk is lost");
    } catch (mp::WorkerLostError const& error) {
        CHECK(error.task() == "chunk 3 of 4");
        CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring("while it ran chunk 3 of 4"));
    }
}

// CPython: _TestPoolWorkerErrors.test_unpickleable_result
TEST_CASE("Pool: a result that cannot be written is its task's error, and no worker's",
          "[pool][faults]") {
    auto pool = test::each_context().Pool(1);
    auto const home = mp::platform::process_id();
    auto const pid = pool.apply(pid_of, 0);
    for (int i = 0; i < 20; ++i) {
        std::atomic<int> errors{0};
        auto const result =
            pool.apply_async({.callback = [&](Trap const&) { errors += 100; },
                              .error_callback = [&](std::exception_ptr) { ++errors; }},
                             make_trap, static_cast<int>(Fault::throws_dumping), home);
        CHECK_THROWS_AS(result.get(), std::domain_error);
        CHECK(errors == 1);
    }
    auto const unknown = [&] { pool.apply(throw_unknown, 0); };
    CHECK_THROWS_AS(unknown(), mp::RemoteError);
    CHECK(pool.apply(pid_of, 0) == pid);
}

TEST_CASE("Pool: what cannot be rebuilt is an error where it belongs, once", "[pool][faults]") {
    auto pool = test::each_context().Pool(1);
    auto const home = mp::platform::process_id();
    auto const pid = pool.apply(pid_of, 0);
    CHECK_THROWS_AS(pool.apply(make_trap, static_cast<int>(Fault::throws_loading), home),
                    std::range_error);
    CHECK_THROWS_AS(pool.apply(value_of, Trap{Fault::throws_loading}), std::range_error);
    CHECK(pool.apply(pid_of, 0) == pid);
}

// CPython: _TestPool.test_map_unplicklable
TEST_CASE("Pool: arguments that cannot be written throw in the caller", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    std::vector<Trap> const traps(10, Trap{Fault::throws_dumping});
    CHECK_THROWS_AS(pool.map(value_of, traps), std::domain_error);
    CHECK_THROWS_AS(pool.apply_async(value_of, traps[0]), std::domain_error);
    CHECK(pool.apply(square, 3) == 9);
}

// CPython: _TestPool.test_map_no_failfast
TEST_CASE("Pool: large exceptions hold nothing up", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    CHECK_THROWS_AS(pool.map(throw_much, std::views::iota(0, 8), {.chunksize = 1}),
                    std::runtime_error);
    CHECK(pool.apply(square, 3) == 9);
}

// CPython: _TestPool.test_terminate
TEST_CASE("Pool: terminate does not wait for what is queued", "[pool]") {
    auto pool = test::each_context().Pool(3);
    mp::Event begun, gate;
    auto const result = pool.map_async(mp::partial(wait_for, begun, gate),
                                       std::views::iota(0, 10'000), {.chunksize = 1});
    begun.wait();
    pool.terminate();
    pool.join();
    CHECK_THROWS_AS(result.get(), mp::RuntimeError);
}

TEST_CASE("Pool: a task that takes too long is stopped, and costs one worker", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    mp::Event begun, gate;
    auto const stays = pool.apply_async(wait_for, begun, gate, 5);
    begun.wait();
    mp::Event never;
    auto const late =
        pool.apply_async({.retries = 5, .task_timeout = 50ms}, wait_for, begun, never, 1);
    CHECK_THROWS_AS(late.get(), mp::TimeoutError);
    CHECK_FALSE(stays.ready());
    CHECK(pool.map(square, {1, 2}, {.task_timeout = 100s}) == std::vector{1, 4});
    gate.set();
    CHECK(stays.get() == 5);
}

TEST_CASE("Pool: what is cancelled before it has begun never runs", "[pool]") {
    auto pool = test::each_context().Pool(1);
    mp::Event gate;
    mp::Value<int> runs(0);
    auto const first = pool.apply_async(note_and_wait, runs, gate, 1);
    CHECK(test::eventually([&] { return runs.value() == 1; }));
    std::atomic<int> errors{0};
    auto const second = pool.apply_async(
        {.error_callback = [&](std::exception_ptr) { ++errors; }}, note_and_wait, runs, gate, 2);
    auto const third = pool.map_async(mp::partial(note_and_wait, runs, gate), {1, 2, 3});
    CHECK(second.cancel());
    CHECK(third.cancel());
    CHECK_FALSE(first.cancel());
    CHECK_THROWS_AS(second.get(), mp::CancelledError);
    CHECK_THROWS_AS(third.get(), mp::CancelledError);
    CHECK_FALSE(second.cancel());
    CHECK_FALSE(second.successful());
    gate.set();
    CHECK(first.get() == 1);
    CHECK_FALSE(first.cancel());
    CHECK(runs.value() == 1);
    CHECK(errors == 1);
}

TEST_CASE("Pool: what runs is cancelled on request, and costs its worker", "[pool][faults]") {
    auto pool = test::each_context().Pool(2);
    mp::Event begun, never;
    auto const result = pool.apply_async({.retries = 3}, wait_for, begun, never, 1);
    begun.wait();
    CHECK_FALSE(result.cancel());
    CHECK(result.cancel({.running = true}));
    CHECK_THROWS_AS(result.get(), mp::CancelledError);
    CHECK_FALSE(result.cancel({.running = true}));
    CHECK(pool.map(square, {1, 2, 3}) == std::vector{1, 4, 9});
}
