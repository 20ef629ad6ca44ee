// SPDX-License-Identifier: MIT
// tests/reduction/partial_test.cpp — reduction/partial.hpp
#include <multiprocessing/reduction/partial.hpp>

#include "reduction/loaded_modules.hpp"
#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace test;

namespace {

int digits(int a, int b, int c) { return 100 * a + 10 * b + c; }
std::string join(std::string const& a, std::string const& b) { return a + "-" + b; }
int length(std::vector<int> const& v) { return static_cast<int>(v.size()); }
int take(std::unique_ptr<int> p) { return *p; }

struct Purse {
    int balance;
    int plus(int x) const { return balance + x; }
};

}  // namespace

TEST_CASE("partial: calls with the bound values first", "[partial]") {
    CHECK(mp::partial(digits, 1, 2)(3) == 123);
    CHECK(mp::partial(digits)(1, 2, 3) == 123);
    CHECK(mp::partial(digits, 1, 2, 3)() == 123);
    CHECK(mp::partial(&Purse::plus, Purse{5})(6) == 11);
    CHECK(mp::partial(&Purse::balance)(Purse{5}) == 5);
}

TEST_CASE("partial: tells its function and values", "[partial]") {
    // CPython: test_functools.TestPartial.test_attributes
    auto const p = mp::partial(digits, 1, 2);
    CHECK(p.func() == &digits);
    CHECK(p.args() == std::tuple(1, 2));
}

TEST_CASE("partial: keeps values, and literals as strings", "[partial]") {
    auto const p = mp::partial(join, "a");
    STATIC_REQUIRE(std::is_same_v<std::tuple_element_t<0, std::decay_t<decltype(p.args())>>,
                                  std::string>);
    CHECK(p("b") == "a-b");
    int n = 1;
    auto const q = mp::partial(digits, n);
    n = 9;
    CHECK(q(2, 3) == 123);
}

TEST_CASE("partial: gives its values away when it is moved from", "[partial]") {
    CHECK(mp::partial(take, std::make_unique<int>(4))() == 4);
    auto p = mp::partial(take, std::make_unique<int>(5));
    STATIC_REQUIRE_FALSE(std::invocable<decltype(p)&>);
    CHECK(std::move(p)() == 5);
}

TEST_CASE("partial: may count in a value of its own", "[partial]") {
    auto counter = mp::partial([](int& n) { return n++; }, 3);
    CHECK(counter() == 3);
    CHECK(counter() == 4);
}

TEST_CASE("partial: crosses with its values", "[partial]") {
    CHECK(crossed(mp::partial(digits, 1, 2))(3) == 123);
    CHECK(crossed(mp::partial(join, "a"))("b") == "a-b");
    CHECK(crossed(mp::partial(length, std::vector<int>(1000)))() == 1000);
    CHECK(crossed(mp::partial([](int a, int b) { return a - b; }, 9))(2) == 7);
    CHECK(crossed(mp::partial(&Purse::plus, Purse{5}))(6) == 11);
    CHECK(crossed(mp::partial(take, std::make_unique<int>(4)))() == 4);
    CHECK(crossed(mp::partial(std::multiplies<>{}, 6))(7) == 42);
}

TEST_CASE("partial: of a partial crosses", "[partial]") {
    // CPython: test_functools.TestPartial.test_nested_optimization
    auto const p = mp::partial(mp::partial(mp::partial(digits, 1), 2), 3);
    CHECK(crossed(p)() == 123);
    auto const of_value = mp::partial([](auto const& inner, int c) { return inner(2, c); },
                                      mp::partial(digits, 1));
    CHECK(crossed(of_value)(3) == 123);
}

TEST_CASE("partial: of another module crosses", "[partial]") {
    for (auto const& module : loaded_modules()) {
        INFO(module.name);
        auto const bytes = written([&](mp::Writer& out) { module.functions->dump_partial(out); });
        CHECK(unpickled<mp::Partial<int (*)(int), int>>(bytes)() == 8);
        CHECK(crossed(mp::partial(module.functions->twice, 5))() == 10);
    }
}

TEST_CASE("partial: can cross only if its function and values can", "[partial]") {
    int n = 1;
    auto const capturing = mp::partial([n](int x) { return x + n; }, 1);
    auto const pointing = mp::partial([](int* p) { return *p; }, &n);
    STATIC_REQUIRE_FALSE(mp::Picklable<std::remove_const_t<decltype(capturing)>>);
    STATIC_REQUIRE_FALSE(mp::Picklable<std::remove_const_t<decltype(pointing)>>);
    CHECK(capturing() == 2);
    CHECK(pointing() == 1);
}

TEST_CASE("partial: of nothing is refused when it is written", "[partial]") {
    int (*none)(int, int, int) = nullptr;
    CHECK_THROWS_AS(pickled(mp::partial(none, 1)), mp::PicklingError);
}
