// SPDX-License-Identifier: MIT
// tests/pool/worker_test.cpp — what ends a worker, and braced lists of elements.
#include <multiprocessing/pool/worker.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <numeric>
#include <optional>
#include <ranges>
#include <tuple>
#include <vector>

namespace mp = multiprocessing;

namespace {

int leave_at_five(int x) {
    if (x == 5) throw mp::SystemExit(7);
    return x;
}
int product(int a, int b) { return a * b; }

}  // namespace

TEST_CASE("Pool: SystemExit in a task ends its worker with that code, and the task is lost",
          "[pool]") {
    auto const ctx = test::each_context();
    auto pool = ctx.Pool(2);
    auto const lost = [](auto result) {
        try {
            result.get();
        } catch (mp::WorkerLostError const& error) {
            return error.exit_code();
        }
        return std::optional<int>();
    };
    CHECK(lost(pool.apply_async(leave_at_five, 5)) == 7);
    CHECK(lost(pool.map_async(leave_at_five, std::vector{4, 5, 6}, {.chunksize = 1})) == 7);
    CHECK(pool.apply(leave_at_five, 4) == 4);
    CHECK(pool.map(leave_at_five, {1, 2, 3}) == std::vector{1, 2, 3});
}

TEST_CASE("Pool: map_async and starmap take braced lists", "[pool]") {
    auto pool = test::each_context().Pool(2);
    CHECK(pool.map_async(leave_at_five, {1, 2, 3}, {.chunksize = 2}).get() ==
          std::vector{1, 2, 3});
    CHECK(pool.starmap(product, {std::tuple{2, 3}, std::tuple{4, 5}}) == std::vector{6, 20});
}

TEST_CASE("Pool: two hundred workers do their work", "[pool]") {
    // CPython: MiscTestCase.test_large_pool
    // Without fork a start takes longer; 70 are still more handles than Windows waits for at once.
    mp::Pool pool(mp::platform::has_fork ? 200 : 70);
    auto const numbers = std::views::iota(0, 1000);
    auto const results = pool.map(leave_at_five, numbers | std::views::filter([](int x) {
                                                     return x != 5;
                                                 }));
    CHECK(results.size() == 999);
    CHECK(std::accumulate(results.begin(), results.end(), 0) == 999 * 500 - 5);
}
