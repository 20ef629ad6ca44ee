// SPDX-License-Identifier: MIT
// tests/pool/imap_test.cpp — results one by one, from ranges of every kind.
#include <multiprocessing/pool/imap.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) { return x * x; }
void nothing(int) {}
std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }
int fail_at_three(int x) {
    if (x == 3) throw std::out_of_range("three");
    return x;
}
int wait_for(mp::Queue<int> gate, int x) { return gate.get() + x; }

std::vector<int> squares(int n) {
    std::vector<int> result;
    for (int i = 0; i < n; ++i) result.push_back(i * i);
    return result;
}

/// Counts what is read of it; throws at one element.
auto source(int& consumed, int throw_at = -1) {
    return std::views::iota(0) | std::views::transform([&consumed, throw_at](int i) {
               if (i == throw_at) throw std::length_error("no more input");
               ++consumed;
               return i;
           });
}
auto finite(int& consumed, int n, int throw_at = -1) {
    return source(consumed, throw_at) | std::views::take_while([n](int i) { return i < n; });
}

template <class Results>
std::vector<int> collect(Results results) {
    std::vector<int> all;
    for (int x : results) all.push_back(x);
    return all;
}

}  // namespace

// CPython: _TestPool.test_imap, _TestPool.test_imap_unordered
TEST_CASE("Pool: imap gives the results in order, imap_unordered gives all of them", "[pool]") {
    auto pool = test::each_context().Pool(2);
    for (int const chunksize : {1, 7, 100}) {
        CHECK(collect(pool.imap(square, std::views::iota(0, 50), {.chunksize = chunksize})) ==
              squares(50));
        auto any = collect(
            pool.imap_unordered(square, std::views::iota(0, 50), {.chunksize = chunksize}));
        std::sort(any.begin(), any.end());
        CHECK(any == squares(50));
    }
    auto results = pool.imap(square, {2, 3});
    CHECK(results.next() == 4);
    CHECK(results.next(10s) == 9);
    CHECK_THROWS_AS(results.next(), mp::StopIteration);
    CHECK_THROWS_AS(results.next(0s), mp::StopIteration);
}

// CPython: _TestPool.test_empty_iterable
TEST_CASE("Pool: an empty input ends at once", "[pool]") {
    auto pool = test::each_context().Pool(1);
    std::vector<int> const empty;
    CHECK(pool.map(square, empty).empty());
    CHECK(pool.map_async(square, empty).get().empty());
    CHECK(collect(pool.imap(square, empty)).empty());
    CHECK(collect(pool.imap_unordered(square, empty)).empty());
}

TEST_CASE("Pool: imap of a function that returns nothing, or what cannot be copied", "[pool]") {
    auto pool = test::each_context().Pool(2);
    auto done = pool.imap(nothing, {1, 2});
    done.next();
    done.next();
    CHECK_THROWS_AS(done.next(), mp::StopIteration);
    int sum = 0;
    for (auto const& box : pool.imap(boxed, {1, 2, 3}, {.chunksize = 2})) sum += *box;
    CHECK(sum == 6);
}

// CPython: _TestPool.test_imap_handle_iterable_exception,
// _TestPool.test_imap_unordered_handle_iterable_exception
TEST_CASE("Pool: what the input throws appears where its element would have been", "[pool]") {
    auto pool = test::each_context().Pool(2);
    int consumed = 0;
    for (int const chunksize : {1, 4}) {
        auto results = pool.imap(square, source(consumed, 10), {.chunksize = chunksize});
        for (int i = 0; i < 10; ++i) CHECK(results.next() == i * i);
        CHECK_THROWS_AS(results.next(), std::length_error);
        CHECK_THROWS_AS(results.next(), mp::StopIteration);
        auto any = pool.imap_unordered(square, source(consumed, 10), {.chunksize = chunksize});
        for (int i = 0; i < 10; ++i) any.next();
        CHECK_THROWS_AS(any.next(), std::length_error);
    }
    CHECK_THROWS_AS(pool.imap(square, source(consumed, 0)).next(), std::length_error);
}

// CPython: _TestPool.test_map_handle_iterable_exception
TEST_CASE("Pool: what the input of map throws reaches the caller, again and again", "[pool]") {
    auto pool = test::each_context().Pool(2);
    int consumed = 0;
    for (int i = 0; i < 3; ++i) {
        CHECK_THROWS_AS(pool.map(square, finite(consumed, 100, 10)), std::length_error);
        CHECK_THROWS_AS(pool.map_async(square, finite(consumed, 100, 0)), std::length_error);
    }
    CHECK(pool.apply(square, 3) == 9);
}

TEST_CASE("Pool: what a task throws appears in its place, and imap goes on", "[pool]") {
    auto pool = test::each_context().Pool(2);
    auto results = pool.imap(fail_at_three, std::views::iota(1, 6));
    CHECK(results.next() == 1);
    CHECK(results.next() == 2);
    CHECK_THROWS_WITH(results.next(), "three");
    CHECK(results.next() == 4);
    CHECK(results.next() == 5);
    CHECK_THROWS_AS(results.next(), mp::StopIteration);
    auto chunks = pool.imap(fail_at_three, std::views::iota(1, 6), {.chunksize = 2});
    CHECK(chunks.next() == 1);
    CHECK(chunks.next() == 2);
    CHECK_THROWS_WITH(chunks.next(), "three");
    CHECK(chunks.next() == 5);
}

// CPython: _TestPool.test_imap_and_imap_unordered_when_buffer_is_full
TEST_CASE("Pool: imap reads a range with a length at once, one without as it goes", "[pool]") {
    auto pool = test::each_context().Pool(2);
    int consumed = 0;
    auto counted = std::views::iota(0, 100) | std::views::transform([&consumed](int i) {
                       ++consumed;
                       return i;
                   });
    auto all = pool.imap(square, counted);
    CHECK(consumed == 100);
    consumed = 0;
    auto some = pool.imap_unordered(square, source(consumed));
    CHECK(consumed == 8);  // four a worker
    some.next();
    CHECK(consumed == 9);
}

// CPython: _TestPool.test_imap_and_imap_unordered_with_buffersize_when_buffer_is_full
TEST_CASE("Pool: with a buffersize the input is read as results are taken", "[pool]") {
    auto pool = test::each_context().Pool(2);
    for (bool const ordered : {true, false}) {
        int consumed = 0;
        auto results = ordered ? pool.imap(square, source(consumed), {.buffersize = 3})
                               : pool.imap_unordered(square, source(consumed), {.buffersize = 3});
        CHECK(consumed == 3);
        for (int taken = 1; taken <= 20; ++taken) {
            results.next();
            CHECK(consumed == 3 + taken);
        }
    }
    CHECK_THROWS_AS(pool.imap(square, {1}, {.buffersize = 0}), mp::ValueError);
    CHECK_THROWS_AS(pool.imap(square, {1}, {.chunksize = 0}), mp::ValueError);
    pool.close();
    CHECK_THROWS_AS(pool.imap(square, {1}), mp::ValueError);
}

TEST_CASE("Pool: close ends the reading of the input with an error, and loses no result",
          "[pool]") {
    auto pool = test::each_context().Pool(2);
    int consumed = 0;
    auto results = pool.imap(square, source(consumed), {.buffersize = 4});
    CHECK(results.next() == 0);
    pool.close();
    for (int i = 1; i < 5; ++i) CHECK(results.next() == i * i);
    CHECK_THROWS_AS(results.next(), mp::ValueError);
    CHECK_THROWS_AS(results.next(), mp::StopIteration);
    pool.join();
}

TEST_CASE("Pool: next gives up in time, and may be called again", "[pool]") {
    auto pool = test::each_context().Pool(2);
    mp::Queue<int> gate;
    auto results = pool.imap(mp::partial(wait_for, gate), {1, 2});
    CHECK_THROWS_AS(results.next(10ms), mp::TimeoutError);
    CHECK_THROWS_AS(results.next(0s), mp::TimeoutError);
    gate.put(10);
    gate.put(10);
    CHECK(results.next() == 11);
    CHECK(results.next() == 12);
}

TEST_CASE("Pool: an iterator that is dropped leaves nothing", "[pool]") {
    auto const ctx = test::each_context();
    auto const run = [&ctx] {
        auto pool = ctx.Pool(2);
        mp::Queue<int> gate;
        {
            auto dropped = pool.imap(mp::partial(wait_for, gate), std::views::iota(0, 100));
            auto infinite = pool.imap_unordered(square, std::views::iota(0));
            auto closed = pool.imap(square, std::views::iota(0, 100));
            closed.close();
            CHECK_THROWS_AS(closed.next(), mp::StopIteration);
        }
        gate.put(1);  // those that had begun
        gate.put(1);
        CHECK(pool.apply(square, 3) == 9);
        pool.close();
        pool.join();
    };
    run();
    auto const before = test::in_use();
    run();
    CHECK(test::nothing_left(before));
}

TEST_CASE("Pool: an iterator may outlive its pool", "[pool]") {
    auto const ctx = test::each_context();
    mp::Queue<int> never;
    auto results = [&] {
        auto pool = ctx.Pool(2);
        return pool.imap(mp::partial(wait_for, never), std::views::iota(0, 2));
    }();
    CHECK_THROWS_AS(results.next(), mp::RuntimeError);
    CHECK_THROWS_AS(results.next(), mp::RuntimeError);
    CHECK_THROWS_AS(results.next(), mp::StopIteration);
}
