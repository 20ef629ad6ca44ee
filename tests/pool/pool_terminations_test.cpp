// SPDX-License-Identifier: MIT
// tests/pool/pool_terminations_test.cpp — workers end at random moments, under every start method.
#include <multiprocessing/pool.hpp>

#include <multiprocessing/context.hpp>
#include <multiprocessing/sharedctypes.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/killed.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <mutex>
#include <random>
#include <ranges>
#include <thread>
#include <vector>

namespace mp = multiprocessing;

namespace {

/// From the first call on this process has not long to live, whatever it is at.
void begin_to_die(mp::Value<int> const& dying) {
    static std::once_flag once;
    std::call_once(once, [&] {
        {
            std::scoped_lock guard(dying.get_lock());
            ++dying.value();
        }
        std::thread([] {
            std::mt19937 random{std::random_device{}()};
            std::this_thread::sleep_for(std::chrono::microseconds(5'000 + random() % 30'000));
            test::die();
        }).detach();
    });
}

int work(mp::Value<int> dying, int x) {
    begin_to_die(dying);
    auto const start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(300)) {}
    return x * x;
}

}  // namespace

TEST_CASE("Pool: workers that are killed at random lose and double no result", "[pool][faults]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    {
        mp::Value<int> dying(0);
        auto pool = ctx.Pool(3);
        for (int round = 0; dying.value() < 30; ++round) {
            auto const numbers = std::views::iota(round, round + 200);
            auto const squares = pool.map(mp::partial(work, dying), numbers,
                                          {.chunksize = 1 + round % 7, .retries = 1000});
            REQUIRE(std::ranges::equal(squares, numbers, {}, {}, [](int x) { return x * x; }));
        }
    }
    CHECK(test::nothing_left(before));
}
