// SPDX-License-Identifier: MIT
// tests/reduction/map_test.cpp — reduction/map.hpp
#include <multiprocessing/reduction/map.hpp>

#include "reduction/loaded_modules.hpp"
#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <exception>
#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace test;
using mp::UnpicklingError;
using reduction::Spread;

namespace {

int squared(int x) { return x * x; }
int checked(int x) { return x < 3 ? x : throw std::out_of_range("three is too much"); }
std::string label(int n, std::string const& s) { return s + std::to_string(n); }

template <class X, Spread spread = Spread::no, class F>
Bytes function(F const& f) {
    return written([&](mp::Writer& out) { reduction::dump_map<X, spread>(out, f); });
}

template <class X, class Range>
Bytes elements(Range const& range) {
    return written([&](mp::Writer& out) {
        reduction::dump_elements<X>(out, std::ranges::begin(range),
                                    static_cast<std::uint64_t>(std::ranges::distance(range)));
    });
}

reduction::MapFunction loaded_map(Bytes const& bytes) {
    mp::Reader in(bytes, mp::Origin::tree);
    return reduction::load_map(in);
}

reduction::ChunkOutcome run_chunk(reduction::MapFunction& f, Bytes const& chunk, mp::Writer& out) {
    mp::Reader in(chunk, mp::Origin::tree);
    return f.run(in, out);
}

template <class R>
std::vector<R> results(mp::Writer const& out, std::uint64_t count) {
    std::vector<R> all;
    mp::Reader in(out.bytes(), mp::Origin::tree);
    reduction::load_results<R>(in, count, [&](R r) { all.push_back(std::move(r)); });
    in.expect_end();
    return all;
}

template <class X, Spread spread = Spread::no, class F, class Range>
auto mapped(F const& f, Range const& range) {
    auto map = loaded_map(function<X, spread>(f));
    mp::Writer out;
    auto const outcome = run_chunk(map, elements<X>(range), out);
    if (outcome.error) std::rethrow_exception(outcome.error);
    return results<reduction::map_result_t<F, X, spread>>(out, outcome.done);
}

}  // namespace

static_assert(reduction::InvocableMap<int (&)(int), short>);
static_assert(!reduction::InvocableMap<int (&)(int), std::string>);
static_assert(reduction::InvocableMap<decltype(label), std::pair<int, char const*>, Spread::yes> &&
              !reduction::InvocableMap<decltype(label), std::pair<int, int>, Spread::yes> &&
              !reduction::InvocableMap<decltype(label), int, Spread::yes>);

TEST_CASE("map: the function is called with each element", "[map]") {
    CHECK(mapped<int>(squared, std::views::iota(0, 5)) == std::vector{0, 1, 4, 9, 16});
    CHECK(mapped<int>([](auto x) { return x + 0.5; }, std::vector{1, 2}) == std::vector{1.5, 2.5});
    CHECK(mapped<std::string>(mp::partial(label, 1), std::vector<std::string>{}).empty());
}

TEST_CASE("map: starmap unpacks tuples", "[map]") {
    using Element = std::tuple<int, std::string>;
    std::vector<Element> const range{{1, "a"}, {2, "b"}};
    CHECK(mapped<Element, Spread::yes>(label, range) == std::vector<std::string>{"a1", "b2"});
    using Pair = std::pair<int, int>;
    CHECK(mapped<Pair, Spread::yes>([](int a, int b) { return a - b; }, std::vector{Pair{5, 2}}) ==
          std::vector{3});
}

TEST_CASE("map: one function serves many chunks", "[map]") {
    auto map = loaded_map(function<std::string>(mp::partial(label, 7)));
    for (int round = 0; round < 3; ++round) {
        mp::Writer out;
        auto const outcome = run_chunk(map, elements<std::string>(std::vector{"x", "y"}), out);
        CHECK(outcome.done == 2);
        CHECK(results<std::string>(out, 2) == std::vector<std::string>{"x7", "y7"});
    }
}

TEST_CASE("map: a chunk ends with the first exception", "[map]") {
    auto map = loaded_map(function<int>(checked));
    mp::Writer out;
    auto const outcome = run_chunk(map, elements<int>(std::vector{0, 1, 2, 3, 4}), out);
    CHECK(outcome.done == 3);
    REQUIRE(outcome.error);
    CHECK_THROWS_AS(std::rethrow_exception(outcome.error), std::out_of_range);
}

TEST_CASE("map: results may be void or move-only", "[map]") {
    auto silent = loaded_map(function<int>([](int x) { checked(x); }));
    mp::Writer out;
    CHECK(run_chunk(silent, elements<int>(std::vector{1, 2}), out).done == 2);
    CHECK(out.size() == 0);
    auto const boxed =
        mapped<int>([](int x) { return std::make_unique<int>(x); }, std::vector{5, 6});
    CHECK(*boxed.at(1) == 6);
}

TEST_CASE("map: a function of another module is called there", "[map]") {
    for (auto const& module : loaded_modules()) {
        INFO(module.name);
        CHECK(mapped<int>(module.functions->twice, std::vector{1, 2}) == std::vector{2, 4});
    }
}

TEST_CASE("map: damaged functions and chunks are refused", "[map]") {
    auto const whole = function<std::string>(mp::partial(label, 7));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        auto const cut = Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
        CHECK_THROWS_AS(loaded_map(cut), UnpicklingError);
    }
    CHECK_THROWS_AS(loaded_map(task(squared, 1)), UnpicklingError);

    auto map = loaded_map(whole);
    auto const chunk = elements<std::string>(std::vector{"x", "y"});
    for (std::size_t n = 0; n < chunk.size(); ++n) {
        mp::Writer out;
        auto const cut = Bytes(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
        auto const outcome = run_chunk(map, cut, out);
        REQUIRE(outcome.error);
        CHECK_THROWS_AS(std::rethrow_exception(outcome.error), UnpicklingError);
    }
}

TEST_CASE("map: results of another type are refused", "[map]") {
    auto map = loaded_map(function<int>(squared));
    mp::Writer out;
    run_chunk(map, elements<int>(std::vector{1, 2}), out);
    CHECK_THROWS_AS(results<long long>(out, 2), UnpicklingError);
    CHECK_THROWS_AS(results<int>(out, 3), UnpicklingError);
}
