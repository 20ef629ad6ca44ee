// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/killed.hpp"
#include "support/latch.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) { return x * x; }
int multiply(int a, int b) { return a * b; }
void nothing(int) {}
std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }
int fail_at_five(int x) {
    if (x == 5) throw std::out_of_range("five");
    return x;
}
int die_at_five(int x) {
    if (x == 5) test::die();
    return x;
}
struct Stranger : std::exception {
    char const* what() const noexcept override { return "a stranger"; }
};
int throw_stranger(int) { throw Stranger{}; }
int wait_for(mp::Queue<int> gate, int x) { return gate.get() + x; }
int pid_of(int) { return static_cast<int>(mp::platform::process_id()); }

int initial = 0;
void initialize(int value) { initial = value; }
int plus_initial(int x) { return x + initial; }
void fail_to_initialize() { throw std::invalid_argument("no initial value"); }
void die_first() { test::die(); }

mp::Pool make_pool(mp::StartMethod method, mp::PoolOptions options = {.processes = 2}) {
    return mp::Pool(std::move(options), method);
}
mp::StartMethod any_method() { return GENERATE(from_range(mp::process::methods())); }
mp::StartMethod default_method() { return mp::process::methods().front(); }

}  // namespace

// CPython: _TestPool.test_map, test_apply, test_starmap, test_async
TEST_CASE("Pool: map, starmap, apply and apply_async give what the function gives", "[pool]") {
    auto pool = make_pool(any_method());
    std::vector<int> expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    auto const elements = expected;
    for (auto& x : expected) x *= x;
    CHECK(pool.map(square, elements) == expected);
    CHECK(pool.map(square, std::views::iota(0, 100), {.chunksize = 20}) == expected);
    CHECK(pool.map(square, {1, 2, 3}) == std::vector{1, 4, 9});
    CHECK(pool.map(square, std::views::iota(0, 100) | std::views::filter([](int x) {
                               return x % 2 == 0;
                           })).size() == 50);
    CHECK(pool.starmap(multiply, std::vector<std::tuple<int, int>>{{2, 3}, {4, 5}}) ==
          std::vector{6, 20});
    CHECK(pool.apply(square, 5) == 25);
    CHECK(pool.apply_async(square, 7).get() == 49);
    pool.map(nothing, {1, 2, 3});
    CHECK(*pool.apply(boxed, 8) == 8);
}

// CPython: _TestPool.test_traceback
TEST_CASE("Pool: map waits for all chunks, then throws what a task threw", "[pool]") {
    auto pool = make_pool(any_method());
    CHECK_THROWS_AS(pool.map(fail_at_five, std::views::iota(0, 10), {.chunksize = 1}),
                    std::out_of_range);
    CHECK_THROWS_AS(pool.apply(fail_at_five, 5), std::out_of_range);
    CHECK_THROWS_WITH(pool.apply(throw_stranger, 1), "a stranger");
    try {
        pool.apply(throw_stranger, 1);
        FAIL("nothing was thrown");
    } catch (mp::RemoteError const& error) {
        CHECK_THAT(error.type_name(), Catch::Matchers::ContainsSubstring("Stranger"));
        CHECK(error.pid() != mp::platform::process_id());
    }
    CHECK(pool.apply(fail_at_five, 4) == 4);
}

// CPython: _TestPool.test_map_chunksize
TEST_CASE("Pool: an empty map is ready at once, a chunksize below 1 is refused", "[pool]") {
    auto pool = make_pool(default_method());
    CHECK(pool.map(square, std::vector<int>{}).empty());
    CHECK(pool.map_async(square, std::vector<int>{}).ready());
    CHECK_THROWS_AS(pool.map(square, {1}, {.chunksize = 0}), mp::ValueError);
    CHECK_THROWS_AS(pool.map(square, {1}, {.chunksize = -1}), mp::ValueError);
}

// CPython: _TestPool.test_async_timeout
TEST_CASE("Pool: get gives up in time, and may be called again", "[pool]") {
    auto pool = make_pool(any_method());
    mp::Queue<int> gate;
    auto const result = pool.apply_async(wait_for, gate, 1);
    CHECK_THROWS_AS(result.get(20ms), mp::TimeoutError);
    CHECK_THROWS_AS(result.get(0s), mp::TimeoutError);
    CHECK_FALSE(result.wait(1ms));
    CHECK_FALSE(result.ready());
    CHECK_THROWS_AS(result.successful(), mp::ValueError);
    gate.put(41);
    CHECK(result.get() == 42);
    CHECK(result.get() == 42);
    CHECK(result.successful());
}

// CPython: _TestPool.test_map_async_callbacks, _TestPoolWorkerErrors.test_async_error_callback
TEST_CASE("Pool: callbacks run once, and one that throws does no harm", "[pool]") {
    auto pool = make_pool(default_method());
    test::Latch called(3);
    int sum = 0;
    std::string error;
    pool.apply_async({.callback = [&](int x) { sum += x; called.count_down(); }}, square, 3);
    pool.map_async(square, std::vector{1, 2}, {.callback = [&](std::vector<int> const& xs) {
                       sum += xs[0] + xs[1];
                       called.count_down();
                   }});
    pool.apply_async({.error_callback = [&](std::exception_ptr thrown) {
                          try {
                              std::rethrow_exception(thrown);
                          } catch (std::out_of_range const& e) {
                              error = e.what();
                          }
                          called.count_down();
                      }},
                     fail_at_five, 5);
    called.wait();
    CHECK(sum == 14);
    CHECK(error == "five");
    auto const thrower = pool.apply_async(
        {.callback = [](int) { throw std::runtime_error("in the callback"); }}, square, 2);
    CHECK(thrower.get() == 4);
    CHECK(pool.apply(square, 3) == 9);
}

// CPython: _TestPool.test_context
TEST_CASE("Pool: close ends what is under way, terminate fails it", "[pool]") {
    auto const method = any_method();
    {
        auto pool = make_pool(method);
        CHECK_THROWS_AS(pool.join(), mp::ValueError);
        auto const result = pool.map_async(square, std::views::iota(0, 1000), {.chunksize = 1});
        pool.close();
        CHECK_THROWS_AS(pool.apply(square, 1), mp::ValueError);
        pool.join();
        CHECK(result.get().size() == 1000);
        CHECK(fmt::format("{}", pool) ==
              "<multiprocessing.pool.Pool state=CLOSE pool_size=2>");
    }
    mp::Queue<int> never;
    auto pool = make_pool(method);
    auto const result = pool.apply_async(wait_for, never, 1);
    pool.terminate();
    pool.join();
    CHECK_THROWS_AS(result.get(), mp::RuntimeError);
    CHECK_THROWS_AS(pool.apply_async(square, 1), mp::ValueError);
}

// CPython: _TestPoolWorkerLifetime.test_pool_worker_lifetime,
// _TestPoolWorkerLifetime.test_pool_maxtasksperchild_invalid
TEST_CASE("Pool: a worker serves so many chunks, then another one comes", "[pool]") {
    auto pool = make_pool(any_method(), {.processes = 2, .maxtasksperchild = 3});
    auto pids = pool.map(pid_of, std::views::iota(0, 30), {.chunksize = 1});
    std::sort(pids.begin(), pids.end());
    for (auto at = pids.begin(); at != pids.end();) {
        auto const next = std::upper_bound(at, pids.end(), *at);
        CHECK(next - at <= 3);
        at = next;
    }
    CHECK_THROWS_AS(make_pool(default_method(), {.maxtasksperchild = 0}), mp::ValueError);
}

// CPython: _TestPool.test_make_pool
TEST_CASE("Pool: bad numbers of workers are refused", "[pool]") {
    CHECK_THROWS_AS(mp::Pool(0), mp::ValueError);
    CHECK_THROWS_AS(mp::Pool(-1), mp::ValueError);
}

// CPython: TestInitializers.test_pool_initializer
TEST_CASE("Pool: the initializer runs in every worker", "[pool]") {
    auto const method = any_method();
    auto pool = make_pool(method, {.processes = 2, .initializer = mp::partial(initialize, 7)});
    CHECK(pool.map(plus_initial, {1, 2, 3}) == std::vector{8, 9, 10});
    CHECK(initial == 0);
}

TEST_CASE("Pool: an initializer that fails or kills fails the pool", "[pool]") {
    auto const method = any_method();
    {
        auto pool = make_pool(method, {.processes = 2, .initializer = fail_to_initialize});
        CHECK_THROWS_AS(pool.apply(square, 1), std::invalid_argument);
        CHECK_THROWS_AS(pool.apply(square, 1), std::invalid_argument);
    }
    auto pool = make_pool(method, {.processes = 2, .initializer = die_first});
    CHECK_THROWS_AS(pool.apply(square, 1), mp::WorkerLostError);
}

TEST_CASE("Pool: a worker that dies in a task fails that task alone", "[pool][faults]") {
    auto pool = make_pool(any_method());
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 50; ++i) results.push_back(pool.apply_async(die_at_five, i % 10));
    for (int i = 0; i < 50; ++i) {
        if (i % 10 != 5) {
            CHECK(results[static_cast<std::size_t>(i)].get() == i % 10);
            continue;
        }
        try {
            results[static_cast<std::size_t>(i)].get();
            FAIL("the task is lost");
        } catch (mp::WorkerLostError const& error) {
            CHECK(error.signal() == test::kill_signal);
            CHECK(error.pid() > 1);
        }
    }
    CHECK_THROWS_AS(pool.apply_async({.retries = 3}, die_at_five, 5).get(), mp::WorkerLostError);
    CHECK(pool.map(square, {1, 2, 3}) == std::vector{1, 4, 9});
}

namespace {
int die_once(mp::Value<int> lives, int x) {
    std::unique_lock guard(lives.get_lock());
    if (lives.value() > 0) {
        --lives.value();
        guard.unlock();
        test::die();
    }
    return x;
}
int use_handles(mp::Queue<int> q, mp::Lock l, mp::Value<long> total, int x) {
    q.put(x * x);
    std::scoped_lock guard(l);
    total.value() += x;
    return x;
}
mp::Queue<int> make_queue(int x) {
    mp::Queue<int> queue;
    queue.put(x);
    return queue;
}
}  // namespace

TEST_CASE("Pool: a lost task is run again as often as was allowed", "[pool][faults]") {
    auto pool = make_pool(any_method());
    mp::Value<int> lives(2);
    CHECK(pool.apply_async({.retries = 2}, die_once, lives, 9).get() == 9);
    CHECK(lives.value() == 0);
}

TEST_CASE("Pool: idle workers that are killed are replaced, and nothing is lost",
          "[pool][faults]") {
    auto pool = make_pool(any_method());
    for (int round = 0; round < 10; ++round) {
        for (auto const pid : pool.map(pid_of, {1, 2, 3, 4}, {.chunksize = 1}))
            mp::platform::kill_process(pid);
        CHECK(pool.map(square, {1, 2, 3}, {.chunksize = 1, .retries = 9}) ==
              std::vector{1, 4, 9});
    }
}

TEST_CASE("Pool: handles travel in tasks and results", "[pool]") {
    auto pool = make_pool(any_method());
    mp::Queue<int> queue;
    mp::Lock lock;
    mp::Value<long> total(0);
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 100; ++i)
        results.push_back(pool.apply_async(use_handles, queue, lock, total, i));
    for (auto const& result : results) result.get();
    CHECK(total.value() == 4950);
    CHECK(queue.qsize() == 100);
    CHECK(pool.apply(make_queue, 12).get() == 12);
}

TEST_CASE("Pool: nothing of it is left in shared memory", "[pool]") {
    auto const method = any_method();
    auto const run = [method] {
        auto pool = make_pool(method);
        pool.map(square, std::views::iota(0, 1000), {.chunksize = 7});
        CHECK_THROWS_AS(pool.apply(die_at_five, 5), mp::WorkerLostError);
        mp::Queue<int> never;
        auto const dropped = pool.apply_async(wait_for, never, 1);
    };
    run();  // a process keeps the room for its references
    auto const at_rest = [] {
        CHECK(test::eventually([] { return test::in_use().slots == 1; }));  // this process's
        auto s = mp::heap::statistics();
        s.backed = 0;
        return s;
    };
    auto const before = at_rest();
    run();
    auto const after = at_rest();
    CHECK(after.blocks == before.blocks);
    CHECK(after.slots == before.slots);
    CHECK(after.records == before.records);
    CHECK(after.hands == before.hands);
}

TEST_CASE("Pool: only the process that made it may use it", "[pool][fork]") {
    auto pool = make_pool(mp::StartMethod::fork);
    auto child = mp::get_context("fork").Process([&pool] {
        CHECK_THROWS_AS(pool.apply(square, 1), mp::RuntimeError);
        CHECK_THROWS_AS(pool.close(), mp::RuntimeError);
        auto const inherited = std::move(pool);
    });
    child.start();
    child.join();
    CHECK(child.exitcode() == 0);
    CHECK(pool.apply(square, 3) == 9);
}

TEST_CASE("Pool: what descendants leave behind is swept", "[pool][faults]") {
    CHECK(test::eventually([] { return test::in_use().slots == 1; }));  // this process's
    auto const before = test::in_use();
    for (int i = 0; i < 5; ++i) {
        mp::Process owner([] {
            mp::Pool pool(2);
            pool.apply(square, 2);
            test::die();
        });
        owner.start();
        owner.join();
        CHECK(owner.exitcode() == -test::kill_signal);
    }
    // Its zygote and its workers go by themselves, soon.
    CHECK(test::no_process_left(before));
}

TEST_CASE("Pool: threads share one pool", "[pool]") {
    auto pool = make_pool(default_method());
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&pool, &wrong] {
            for (int i = 0; i < 50; ++i)
                if (pool.apply(square, i) != i * i) ++wrong;
        });
    for (auto& thread : threads) thread.join();
    CHECK(wrong == 0);
}
