// SPDX-License-Identifier: MIT
// tests/futures/executor_broken_test.cpp — what ends an executor, and what only ends a call.
#include <multiprocessing/futures/executor.hpp>

#include <multiprocessing/context.hpp>
#include <multiprocessing/futures/wait.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/in_use.hpp"
#include "support/killed.hpp"
#include "support/start_methods.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mp = multiprocessing;
namespace futures = mp::futures;
using Executor = futures::ProcessPoolExecutor;
using futures::BrokenProcessPool;
using namespace std::chrono_literals;

namespace {

enum class Fault : int { none, dies_loading, throws_loading, dies_dumping, throws_dumping };

/// Does it in a worker; what throws while it is loaded does so anywhere.
struct Trap {
    Fault fault = Fault::none;
    std::int64_t home = mp::platform::process_id();
    std::vector<int> ballast = {};

    bool away() const { return mp::platform::process_id() != home; }
};

int square(int x) { return x * x; }
void take(Trap const&) {}
Trap make(int fault, std::int64_t home) { return {static_cast<Fault>(fault), home, {}}; }
void crash() { test::die(); }
void leave() { throw mp::SystemExit(3); }
void wait_for(mp::Event begun, mp::Event gate) {
    begun.set();
    gate.wait();
}
void fail() { throw std::invalid_argument("no initial value"); }

template <class F>
bool is_broken(F const& future) {
    try {
        future.result();
    } catch (BrokenProcessPool const&) {
        return true;
    } catch (...) {
    }
    return false;
}

}  // namespace

template <>
struct multiprocessing::pickle<Trap> {
    static void dump(Writer& out, Trap const& trap) {
        if (trap.away() && trap.fault == Fault::dies_dumping) test::die();
        if (trap.fault == Fault::throws_dumping) throw PicklingError("cannot be written");
        out.write(trap.fault);
        out.write(trap.home);
        out.write(trap.ballast);
    }
    static Trap load(Reader& in) {
        Trap trap{in.read<Fault>(), in.read<std::int64_t>(), in.read<std::vector<int>>()};
        if (trap.away() && trap.fault == Fault::dies_loading) test::die();
        if (trap.fault == Fault::throws_loading) throw std::range_error("cannot be rebuilt");
        return trap;
    }
};

// CPython: ProcessPoolExecutorTest.test_killed_child,
// ProcessPoolExecutorTest.test_broken_process_pool_traceback,
// ProcessPoolExecutorTest.test_traceback_when_child_process_terminates_abruptly,
// ExecutorDeadlockTest.test_crash_during_func_exec_on_worker
TEST_CASE("ProcessPoolExecutor: a worker that is killed breaks it", "[futures][faults]") {
    auto const context = test::each_context();
    auto const before = test::in_use();
    {
        Executor executor({.max_workers = 2, .mp_context = context});
        mp::Event begun, never;
        auto const first = executor.submit(wait_for, begun, never);
        auto const second = executor.submit(wait_for, begun, never);
        auto const queued = executor.submit(square, 1);
        begun.wait();
        // A worker may be at work before it is listed.
        REQUIRE(test::eventually([&] { return !executor.pids().empty(); }));
        mp::platform::kill_process(executor.pids().front());
        CHECK(is_broken(first));
        CHECK(is_broken(second));
        CHECK(is_broken(queued));
        CHECK(first.exception() != second.exception());
        CHECK_THROWS_AS(executor.submit(square, 1), futures::BrokenExecutor);
        try {
            std::rethrow_exception(first.exception());
        } catch (BrokenProcessPool const& error) {
            CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring(
                                         "signal " + std::to_string(test::kill_signal)));
            CHECK_THROWS_AS(std::rethrow_exception(error.cause()), mp::WorkerLostError);
        }
        executor.terminate_workers();
        executor.kill_workers();
    }
    CHECK(test::nothing_left(before));
}

// CPython: ExecutorDeadlockTest.test_crash_at_task_unpickle,
// ExecutorDeadlockTest.test_exit_at_task_unpickle,
// ExecutorDeadlockTest.test_crash_during_result_pickle_on_worker,
// ExecutorDeadlockTest.test_crash_big_data, ExecutorDeadlockTest.test_shutdown_deadlock
TEST_CASE("ProcessPoolExecutor: wherever a worker dies, nobody waits for ever",
          "[futures][faults]") {
    auto const context = test::each_context();
    auto const home = mp::platform::process_id();
    {
        Executor executor({.max_workers = 2, .mp_context = context});
        CHECK(is_broken(executor.submit(take, Trap{Fault::dies_loading})));
    }
    {
        Executor executor({.max_workers = 2, .mp_context = context});
        CHECK(is_broken(executor.submit(make, static_cast<int>(Fault::dies_dumping), home)));
    }
    {
        Executor executor({.max_workers = 2, .mp_context = context});
        auto const broken = executor.submit(crash);
        std::vector<int> const ballast(1'000'000, 1);
        auto const big = Trap{Fault::dies_loading, home, ballast};
        std::vector<futures::Future<void>> fs;
        try {
            for (int i = 0; i < 5; ++i) fs.push_back(executor.submit(take, big));
        } catch (BrokenProcessPool const&) {
            // It was broken already.
        }
        for (auto const& f : fs) CHECK(is_broken(f));
        CHECK(is_broken(broken));
    }
    Executor executor({.max_workers = 2, .mp_context = context});
    executor.submit(square, 2).result();
    auto const last = executor.submit(crash);
    executor.shutdown();
    CHECK(is_broken(last));
}

// CPython: ExecutorDeadlockTest.test_error_at_task_pickle,
// ExecutorDeadlockTest.test_error_at_task_unpickle,
// ExecutorDeadlockTest.test_error_during_func_exec_on_worker,
// ExecutorDeadlockTest.test_exit_during_func_exec_on_worker,
// ExecutorDeadlockTest.test_error_during_result_pickle_on_worker,
// ExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler,
// ExecutorDeadlockTest.test_shutdown_deadlock_pickle, ProcessPoolExecutorTest.test_traceback
TEST_CASE("ProcessPoolExecutor: an error of a call is its future's alone", "[futures][faults]") {
    Executor executor({.max_workers = 2, .mp_context = test::each_context()});
    auto const home = mp::platform::process_id();
    auto const write = static_cast<int>(Fault::throws_dumping);
    auto const read = static_cast<int>(Fault::throws_loading);
    CHECK_THROWS_AS(executor.submit(take, Trap{Fault::throws_dumping}).result(), mp::PicklingError);
    CHECK_THROWS_AS(executor.submit(take, Trap{Fault::throws_loading}).result(), std::range_error);
    CHECK_THROWS_AS(executor.submit(make, write, home).result(), mp::PicklingError);
    CHECK_THROWS_AS(executor.submit(make, read, home).result(), std::range_error);
    CHECK_THROWS_AS(executor.submit(fail).result(), std::invalid_argument);
    auto const left = executor.submit(leave);
    CHECK(left.exception() != nullptr);
    CHECK_FALSE(is_broken(left));
    CHECK(executor.submit(square, 3).result() == 9);
    auto const last = executor.submit(take, Trap{Fault::throws_dumping});
    executor.shutdown(false);
    CHECK_THROWS_AS(last.result(), mp::PicklingError);
}

// CPython: FailingInitializerMixin.test_initializer
TEST_CASE("ProcessPoolExecutor: an initializer that throws breaks it", "[futures][faults]") {
    auto const context = test::each_context();
    Executor executor({.max_workers = 2, .mp_context = context, .initializer = fail});
    auto const first = executor.submit(square, 1);
    CHECK_THROWS_AS(first.result(), futures::BrokenExecutor);
    CHECK_THROWS_WITH(first.result(), Catch::Matchers::ContainsSubstring("no initial value"));
    CHECK_THROWS_AS(executor.submit(square, 1), futures::BrokenExecutor);
}

// CPython: ProcessPoolExecutorTest.test_force_shutdown_workers,
// ProcessPoolExecutorTest.test_force_shutdown_workers_stops_pool,
// ProcessPoolExecutorTest.test_force_shutdown_workers_dead_workers,
// ProcessPoolExecutorTest.test_force_shutdown_workers_not_started_yet,
// ProcessPoolExecutorTest.test_terminate_workers, ProcessPoolExecutorTest.test_kill_workers,
// ProcessPoolExecutorTest.test_force_shutdown_during_max_tasks_worker_exit
TEST_CASE("ProcessPoolExecutor: terminate_workers and kill_workers end what runs",
          "[futures][faults]") {
    auto const context = test::each_context();
    auto const before = test::in_use();
    for (bool const kills : {true, false}) {
        auto const end = [kills](Executor& executor) {
            if (kills) executor.kill_workers();
            else executor.terminate_workers();
        };
        Executor idle({.max_workers = 1, .mp_context = context});
        end(idle);
        CHECK_THROWS_AS(idle.submit(square, 1), mp::RuntimeError);

        Executor executor({.max_workers = 1, .mp_context = context});
        mp::Event begun, never;
        auto const running = executor.submit(wait_for, begun, never);
        auto const queued = executor.submit(square, 1);
        begun.wait();
        end(executor);
        CHECK(is_broken(running));
        CHECK_THROWS_AS(queued.result(), mp::Error);
        CHECK_FALSE(queued.running());
        CHECK_THROWS_AS(executor.submit(square, 1), mp::RuntimeError);
        end(executor);
        executor.shutdown();
        CHECK(executor.pids().empty());
    }
    CHECK(test::no_process_left(before));
}

namespace {
void leave_work_behind(mp::Queue<int> results) {
    static mp::Queue<int> kept = results;
    static Executor executor({.max_workers = 1, .mp_context = mp::StartMethod::fork});
    for (int i = 0; i < 3; ++i) executor.submit([](mp::Queue<int> q, int x) { q.put(x); }, kept, i);
}
void submit_at_exit(mp::Queue<int> results) {
    static mp::Queue<int> kept = results;
    // Not destroyed: static objects of a child go before its finalizers run.
    static auto& executor =
        *new Executor({.max_workers = 1, .mp_context = mp::StartMethod::fork});
    mp::util::Finalize::at_exit(5, [] {  // after the executor's own part
        try {
            executor.submit(square, 1);
            kept.put(0);
        } catch (mp::RuntimeError const&) {
            kept.put(1);
        }
    });
}
}  // namespace

// CPython: ExecutorShutdownTest.test_interpreter_shutdown,
// ExecutorShutdownTest.test_submit_after_interpreter_shutdown
TEST_CASE("ProcessPoolExecutor: the end of a program completes what was submitted",
          "[futures][fork]") {
    test::let_signals_kill_children();
    mp::Queue<int> results;
    auto owner = mp::get_context("fork").Process(leave_work_behind, results);
    owner.start();
    owner.join();
    CHECK(owner.exitcode() == 0);
    CHECK(results.get_many(3, 0s).size() == 3);
    auto late = mp::get_context("fork").Process(submit_at_exit, results);
    late.start();
    late.join();
    CHECK(late.exitcode() == 0);
    CHECK(results.get(true, 0s) == 1);
}
