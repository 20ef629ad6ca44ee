// SPDX-License-Identifier: MIT
// tests/futures/executor_test.cpp — submit, map and shutdown.
#include <multiprocessing/futures/executor.hpp>

#include <multiprocessing/context.hpp>
#include <multiprocessing/futures/wait.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp = multiprocessing;
namespace futures = mp::futures;
using Executor = futures::ProcessPoolExecutor;
using namespace std::chrono_literals;

namespace {

int square(int x) { return x * x; }
int power(int base, int exponent) {
    int result = 1;
    while (exponent-- > 0) result *= base;
    return result;
}
std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }
int fail_at_two(int x) {
    if (x == 2) throw std::domain_error("two");
    return x;
}
std::int64_t pid_of() { return mp::platform::process_id(); }
int wait_for(mp::Event begun, mp::Event gate, int x) {
    begun.set();
    gate.wait();
    return x;
}
void release(mp::Semaphore started, mp::Event gate) {
    started.release();
    gate.wait();
}
int initial = 0;
void initialize(int value) { initial = value; }
int get_initial() { return initial; }

auto counted(int& consumed) {
    return std::views::iota(0) | std::views::transform([&consumed](int i) {
               ++consumed;
               return i;
           });
}
template <class Results>
std::vector<int> collect(Results results) {
    std::vector<int> all;
    for (int x : results) all.push_back(x);
    return all;
}

}  // namespace

// CPython: ExecutorTest.test_submit, InitializerMixin.test_initializer
TEST_CASE("ProcessPoolExecutor: submit gives a future", "[futures]") {
    Executor executor({.max_workers = 2,
                       .mp_context = test::each_context(),
                       .initializer = mp::partial(initialize, 9)});
    CHECK(executor.submit(power, 2, 8).result() == 256);
    CHECK(*executor.submit(boxed, 5).result() == 5);
    std::vector<futures::Future<int>> fs;
    for (int i = 0; i < 10; ++i) fs.push_back(executor.submit(get_initial));
    for (auto const& f : futures::as_completed(fs)) CHECK(f.result() == 9);
    CHECK(initial == 0);
    auto const failed = executor.submit(fail_at_two, 2);
    CHECK_THROWS_AS(failed.result(), std::domain_error);
    CHECK(failed.exception() != nullptr);
}

// CPython: ExecutorTest.test_map, ProcessPoolExecutorTest.test_map_chunksize
TEST_CASE("ProcessPoolExecutor: map over one range or several", "[futures]") {
    Executor executor({.max_workers = 2, .mp_context = test::each_context()});
    auto const numbers = std::views::iota(0, 10);
    std::vector<int> squares, powers;
    for (int const i : numbers) {
        squares.push_back(i * i);
        powers.push_back(power(i, i % 3));
    }
    std::vector<int> exponents;
    for (int const i : std::views::iota(0, 50)) exponents.push_back(i % 3);
    for (int const chunksize : {1, 3, 40}) {
        CHECK(collect(executor.map(square, numbers, {.chunksize = chunksize})) == squares);
        CHECK(collect(executor.map({.chunksize = chunksize}, power, numbers, exponents)) == powers);
    }
    CHECK(collect(executor.map(square, numbers)) == squares);
    CHECK(collect(executor.map(square, {1, 2})) == std::vector{1, 4});
    CHECK_THROWS_AS(executor.map(square, numbers, {.chunksize = -1}), mp::ValueError);
}

// CPython: ExecutorTest.test_map_exception, ExecutorTest.test_map_close
TEST_CASE("ProcessPoolExecutor: map throws in the place of the element, and goes on",
          "[futures]") {
    Executor executor({.max_workers = 2, .mp_context = test::each_context()});
    auto results = executor.map(fail_at_two, std::views::iota(1, 5));
    CHECK(results.next() == 1);
    CHECK_THROWS_AS(results.next(), std::domain_error);
    CHECK(results.next() == 3);
    results.close();
    CHECK_THROWS_AS(results.next(), mp::StopIteration);
}

// CPython: ExecutorTest.test_map_timeout, ExecutorTest.test_map_timeout_from_callable
TEST_CASE("ProcessPoolExecutor: the time-out of map is for the whole", "[futures]") {
    Executor executor({.max_workers = 2, .mp_context = test::each_context()});
    mp::Event begun, gate;
    auto const task = mp::partial(
        [](mp::Event b, mp::Event g, int x) { return x == 0 ? 7 : wait_for(b, g, x); }, begun,
        gate);
    auto results = executor.map(task, {0, 1}, {.timeout = 3s});
    CHECK(results.next() == 7);
    CHECK_THROWS_WITH(results.next(), "the next result was not ready in time");
    gate.set();
    auto thrown = executor.map([](int) -> int { throw mp::TimeoutError("of the task"); }, {1, 2},
                               {.timeout = 100s});
    CHECK_THROWS_WITH(thrown.next(), "of the task");
    CHECK_THROWS_WITH(thrown.next(), "of the task");
    CHECK_THROWS_AS(thrown.next(), mp::StopIteration);
}

// CPython: ExecutorTest.test_map_buffersize_value_validation, test_map_buffersize,
// test_map_buffersize_on_multiple_iterables, test_map_buffersize_on_infinite_iterable,
// test_map_buffersize_on_multiple_infinite_iterables, test_map_buffersize_on_empty_iterable,
// test_map_buffersize_when_buffer_is_full
TEST_CASE("ProcessPoolExecutor: with a buffersize map reads as results are taken", "[futures]") {
    Executor executor({.max_workers = 2, .mp_context = test::each_context()});
    for (int const size : {0, -1})
        CHECK_THROWS_AS(executor.map(square, {1}, {.buffersize = size}), mp::ValueError);
    auto const numbers = std::views::iota(0, 4);
    for (int const size : {1, 2, 4, 8}) {
        CHECK(collect(executor.map(square, numbers, {.buffersize = size})) ==
              std::vector{0, 1, 4, 9});
        CHECK(collect(executor.map({.buffersize = size}, power, numbers, numbers)) ==
              std::vector{1, 1, 4, 27});
    }
    int consumed = 0;
    auto infinite = executor.map(square, counted(consumed), {.buffersize = 2});
    CHECK(consumed == 2);
    CHECK(infinite.next() == 0);
    CHECK(infinite.next() == 1);
    CHECK(consumed == 4);
    auto several =
        executor.map({.buffersize = 2}, power, std::views::iota(0), std::views::iota(0));
    for (int const expected : {1, 1, 4, 27}) CHECK(several.next() == expected);
    CHECK(collect(executor.map(square, std::vector<int>(), {.buffersize = 2})).empty());
}

// CPython: ExecutorTest.test_free_reference
TEST_CASE("ProcessPoolExecutor: the iterator of map keeps no result that it gave", "[futures]") {
    Executor executor({.max_workers = 1, .mp_context = test::each_context()});
    auto results = executor.map(boxed, {1, 2});  // they could not be copied
    CHECK(*results.next() == 1);
    CHECK(*results.next() == 2);
}

// CPython: ExecutorTest.test_max_workers_negative
TEST_CASE("ProcessPoolExecutor: fewer than one worker is refused", "[futures]") {
    CHECK_THROWS_AS(Executor(0), mp::ValueError);
    CHECK_THROWS_AS(Executor(-1), mp::ValueError);
    CHECK_THROWS_AS(Executor({.max_tasks_per_child = 0}), mp::ValueError);
}

// CPython: ExecutorTest.test_shutdown_race_issue12456,
// ExecutorShutdownTest.test_run_after_shutdown,
// ExecutorShutdownTest.test_hang_issue12364,
// ProcessPoolShutdownTest.test_context_manager_shutdown,
// ProcessPoolShutdownTest.test_processes_terminate
TEST_CASE("ProcessPoolExecutor: shutdown completes what was submitted", "[futures]") {
    auto const context = test::each_context();
    auto const before = test::in_use();
    {
        Executor executor({.max_workers = 3, .mp_context = context});
        std::vector<futures::Future<int>> fs;
        for (int i = 0; i < 50; ++i) fs.push_back(executor.submit(square, i));
        CHECK(executor.pids().size() <= 3);
        executor.shutdown();
        CHECK(executor.pids().empty());
        CHECK_THROWS_AS(executor.submit(square, 1), mp::RuntimeError);
        executor.shutdown();
        for (int i = 0; i < 50; ++i) CHECK(fs[static_cast<std::size_t>(i)].result(0s) == i * i);
    }
    CHECK(test::nothing_left(before));
}

// CPython: ProcessPoolShutdownTest.test_del_shutdown,
// ProcessPoolShutdownTest.test_shutdown_no_wait,
// ProcessPoolShutdownTest.test_shutdown_gh_132969_case_1,
// ProcessPoolShutdownTest.test_shutdown_gh_132969_case_2
TEST_CASE("ProcessPoolExecutor: without waiting the work goes on behind it", "[futures]") {
    auto const context = test::each_context();
    auto const before = test::in_use();
    {
        mp::Event begun, gate;
        std::vector<futures::Future<int>> fs;
        {
            Executor executor({.max_workers = 2, .mp_context = context});
            for (int i = 0; i < 4; ++i) fs.push_back(executor.submit(wait_for, begun, gate, i));
            executor.shutdown(false);
            CHECK_THROWS_AS(executor.submit(square, 1), mp::RuntimeError);
        }
        gate.set();
        for (int i = 0; i < 4; ++i) CHECK(fs[static_cast<std::size_t>(i)].result() == i);

        futures::Future<int> last, failed;
        {
            Executor executor({.max_workers = 1, .mp_context = context});
            last = executor.submit(square, 5);
        }
        CHECK(last.result(0s) == 25);
        {
            Executor executor({.max_workers = 4,
                               .mp_context = mp::StartMethod::spawn,
                               .max_tasks_per_child = 1});
            failed = executor.submit(fail_at_two, 2);
            last = executor.submit(square, 2);
            executor.shutdown(false);
        }
        CHECK_THROWS_AS(failed.result(), std::domain_error);
        CHECK(last.result() == 4);
    }
    CHECK(test::nothing_left(before));
}

// CPython: ExecutorShutdownTest.test_cancel_futures, ExecutorShutdownTest.test_hang_gh94440
TEST_CASE("ProcessPoolExecutor: shutdown may cancel what has not begun", "[futures]") {
    Executor executor({.max_workers = 1, .mp_context = test::each_context()});
    mp::Event begun, gate;
    auto const running = executor.submit(wait_for, begun, gate, 1);
    begun.wait();
    CHECK(running.running());
    CHECK(fmt::format("{}", running).ends_with("state=running>"));
    CHECK_FALSE(running.cancel());
    auto const dropped = executor.submit(square, 2);
    CHECK_FALSE(dropped.running());
    CHECK(dropped.cancel());
    CHECK(dropped.cancelled());
    CHECK(futures::wait(std::vector{dropped}).done.size() == 1);
    std::vector<futures::Future<int>> fs;
    for (int i = 0; i < 50; ++i) fs.push_back(executor.submit(square, i));
    executor.shutdown(false, {.cancel_futures = true});
    for (auto const& f : fs) CHECK_THROWS_AS(f.result(), mp::CancelledError);
    gate.set();
    CHECK(running.result() == 1);
}

// CPython: ProcessPoolExecutorTest.test_saturation
TEST_CASE("ProcessPoolExecutor: as many workers as allowed, and no more", "[futures]") {
    Executor executor({.max_workers = 3, .mp_context = test::each_context()});
    CHECK(executor.pids().empty());
    mp::Semaphore started(0);
    mp::Event gate;
    std::vector<futures::Future<void>> fs;
    for (int i = 0; i < 9; ++i) fs.push_back(executor.submit(release, started, gate));
    for (int i = 0; i < 3; ++i) CHECK(started.acquire(true, 20s));
    // A worker may be at work before it is listed.
    CHECK(test::eventually([&] { return executor.pids().size() == 3; }));
    gate.set();
    for (auto const& f : fs) f.result();
    CHECK(executor.pids().size() == 3);
}

// CPython: ProcessPoolExecutorTest.test_idle_process_reuse_one,
// ProcessPoolExecutorTest.test_idle_process_reuse_multiple
TEST_CASE("ProcessPoolExecutor: an idle worker is used again", "[futures]") {
    Executor executor({.max_workers = 4, .mp_context = test::each_context()});
    std::set<std::int64_t> pids;
    for (int i = 0; i < 6; ++i) pids.insert(executor.submit(pid_of).result());
    CHECK(pids.size() == 1);
    CHECK(executor.pids().size() <= 1);
    auto const first = executor.submit(pid_of), second = executor.submit(pid_of);
    first.result();
    second.result();
    executor.submit(pid_of).result();
    CHECK(executor.pids().size() <= 2);
}

// CPython: ProcessPoolExecutorTest.test_max_tasks_per_child,
// ProcessPoolExecutorTest.test_max_tasks_per_child_defaults_to_spawn_context,
// ProcessPoolExecutorTest.test_max_tasks_per_child_pending_tasks_gh115634,
// ProcessPoolExecutorTest.test_max_tasks_early_shutdown,
// ProcessPoolExecutorTest.test_shutdown_no_wait_max_tasks_gh119592
TEST_CASE("ProcessPoolExecutor: a worker serves so many calls", "[futures]") {
    auto const context = test::each_context();
    if (context.get_start_method() == "fork") {
        CHECK_THROWS_AS(Executor({.mp_context = context, .max_tasks_per_child = 3}),
                        mp::ValueError);
        return;
    }
    {
        Executor executor({.max_workers = 1, .mp_context = context, .max_tasks_per_child = 3});
        std::vector<std::int64_t> pids;
        for (int i = 0; i < 6; ++i) pids.push_back(executor.submit(pid_of).result());
        CHECK(std::count(pids.begin(), pids.end(), pids[0]) == 3);
        CHECK(std::count(pids.begin(), pids.end(), pids[5]) == 3);
    }
    Executor executor({.max_workers = 2, .max_tasks_per_child = 1});
    std::vector<futures::Future<std::string>> methods;
    for (int i = 0; i < 6; ++i)
        methods.push_back(executor.submit([] { return mp::current_process().name(); }));
    executor.shutdown(false);
    for (auto const& name : methods) CHECK(name.result().rfind("SpawnProcess-", 0) == 0);
}

// CPython: ProcessPoolExecutorTest.test_ressources_gced_in_workers,
// ExecutorTest.test_no_stale_references
TEST_CASE("ProcessPoolExecutor: arguments are gone when the call is done", "[futures]") {
    Executor executor({.max_workers = 1, .mp_context = test::each_context()});
    auto const before = test::in_use().blocks;
    for (int i = 0; i < 3; ++i) {
        mp::Queue<int> queue;
        executor.submit([](mp::Queue<int> q) { q.put(1); }, queue).result();
        CHECK(queue.get() == 1);
    }
    executor.submit(square, 1).result();
    CHECK(test::eventually([&] { return test::in_use().blocks <= before + 8; }));
}
