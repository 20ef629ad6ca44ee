// SPDX-License-Identifier: MIT
// tests/pool/pool_life_test.cpp — how pools end, and results that somebody awaits.
#include <multiprocessing/pool/pool.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/latch.hpp"
#include "support/start_methods.hpp"

#include <coroutine>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace mp = multiprocessing;

namespace {

int square(int x) { return x * x; }
int multiply(int a, int b) { return a * b; }
int refuse(int) { throw std::domain_error("no"); }

/// A coroutine that begins at once and that nobody waits for.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

Detached add(mp::AsyncResult<int> a, mp::AsyncResult<int> b, std::optional<int>& sum,
             test::Latch& done) {
    int const first = co_await a;
    sum = first + co_await b;
    done.count_down();
}
Detached catch_error(mp::AsyncResult<int> result, std::string& text, test::Latch& done) {
    try {
        co_await result;
    } catch (std::domain_error const& error) {
        text = error.what();
    }
    done.count_down();
}

}  // namespace

// CPython: _TestPool.test_map_async, _TestPool.test_starmap_async, _TestPool.test_map_chunksize
TEST_CASE("Pool: map_async and starmap_async", "[pool]") {
    auto pool = test::each_context().Pool(2);
    auto const result = pool.map_async(square, std::views::iota(0, 4));
    CHECK(result.get() == std::vector{0, 1, 4, 9});
    CHECK(fmt::format("{}", result).rfind("<multiprocessing.pool.AsyncResult object at 0x", 0) ==
          0);
    CHECK(pool.starmap_async(multiply, {std::tuple{2, 3}, std::tuple{4, 5}}).get() ==
          std::vector{6, 20});
    CHECK(pool.starmap_async(multiply, std::vector<std::tuple<int, int>>{{2, 3}},
                             {.chunksize = 10})
              .get() == std::vector{6});
    int called = 0;
    CHECK(pool.map_async(square, std::vector<int>(),
                         {.chunksize = 1, .callback = [&](auto const&) { ++called; }})
              .get()
              .empty());
    CHECK(called == 0);
}

// CPython: _TestPoolWorkerLifetime.test_pool_worker_lifetime_early_close
TEST_CASE("Pool: close with workers of one task each completes what is queued", "[pool]") {
    auto pool = test::each_context().Pool({.processes = 3, .maxtasksperchild = 1});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 6; ++i) results.push_back(pool.apply_async(square, i));
    pool.close();
    pool.close();
    pool.join();
    for (int i = 0; i < 6; ++i) CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
}

namespace {
void leave_with_a_pool() {
    static auto pool = std::make_unique<mp::Pool>(2);
    static auto const result = pool->apply_async(square, 2);
    result.get();
}
}  // namespace

// CPython: _TestPoolWorkerLifetime.test_worker_finalization_via_atexit_handler_of_multiprocessing
TEST_CASE("Pool: a program may end with a pool that lives", "[pool]") {
    auto const context = test::each_context();
    auto owner = context.Process({.daemon = false}, leave_with_a_pool);
    owner.start();
    owner.join();
    CHECK(owner.exitcode() == 0);
}

TEST_CASE("AsyncResult: co_await gives what get gives", "[pool]") {
    auto pool = test::each_context().Pool(2);
    std::optional<int> sum;
    std::string text;
    test::Latch done(2);
    add(pool.apply_async(square, 3), pool.apply_async(square, 4), sum, done);
    catch_error(pool.apply_async(refuse, 1), text, done);
    done.wait();
    CHECK(sum == 25);
    CHECK(text == "no");
}
