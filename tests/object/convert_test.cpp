// SPDX-License-Identifier: MIT
// tests/object/convert_test.cpp — C++ values as Objects, and back.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <array>
#include <complex>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mp = multiprocessing;

namespace {
template <class T>
void check_round(T const& value, char const* repr) {
    mp::Object const object = value;
    CHECK(object.repr() == repr);
    CHECK(object.is<T>());
    CHECK(object.to<T>() == value);
}
}  // namespace

TEST_CASE("convert: there and back", "[object]") {
    check_round(5, "5");
    check_round(std::uint64_t{18446744073709551615u}, "18446744073709551615");
    check_round(std::int8_t{-5}, "-5");
    check_round(1.5f, "1.5");
    check_round(true, "True");
    check_round(std::string("a"), "'a'");
    check_round(mp::Bytes("a"), "b'a'");
    check_round(std::vector<std::vector<int>>{{1}, {}}, "[[1], []]");
    check_round(std::vector<bool>{true, false}, "[True, False]");
    check_round(std::list<std::string>{"a"}, "['a']");
    check_round(std::array<int, 2>{1, 2}, "[1, 2]");
    check_round(std::map<std::string, int>{{"a", 1}}, "{'a': 1}");
    check_round(std::unordered_map<int, double>{{1, 2.0}}, "{1: 2.0}");
    check_round(std::set<int>{2, 1}, "{1, 2}");
    check_round(std::pair<int, std::string>(1, "a"), "(1, 'a')");
    check_round(std::tuple<int, std::tuple<>, bool>(1, {}, false), "(1, (), False)");
    check_round(std::optional<int>(3), "3");
    check_round(std::optional<int>(), "None");
    check_round(std::complex<double>(1, -1), "(1-1j)");
    check_round(std::vector<mp::Object>{1, "a"}, "[1, 'a']");
}

TEST_CASE("convert: the wrong type is a TypeError", "[object]") {
    CHECK_THROWS_WITH(mp::Object("5").to<int>(), "expected int, not 'str'");
    CHECK_THROWS_AS(mp::Object(1.0).to<int>(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(1).to<bool>(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(mp::None).to<std::string>(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(mp::Bytes("a")).to<std::string>(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(mp::List{1, "a"}).to<std::vector<int>>(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(mp::Tuple{}).to<mp::List>(), mp::TypeError);
    CHECK_THROWS_WITH(mp::Object(1).to<mp::Dict>(),
                      Catch::Matchers::ContainsSubstring("not 'int'"));
    CHECK(mp::Object(true).to<int>() == 1);
    CHECK(mp::Object(1).to<double>() == 1.0);
    CHECK(mp::Object(1).to<std::complex<float>>() == std::complex<float>(1));
    CHECK(mp::Object(mp::Tuple{1}).to<std::vector<int>>() == std::vector{1});
    CHECK_FALSE(mp::Object("a").is<std::optional<int>>());
}

TEST_CASE("convert: an int that does not fit", "[object]") {
    CHECK_THROWS_AS(mp::Object(300).to<std::uint8_t>(), mp::OverflowError);
    CHECK_THROWS_AS(mp::Object(-1).to<unsigned>(), mp::OverflowError);
    CHECK_THROWS_AS(mp::Object(~0ull).to<std::int64_t>(), mp::OverflowError);
    CHECK_THROWS_AS(mp::Object(-1).to<std::uint64_t>(), mp::OverflowError);
    mp::Object const huge = mp::detail::ObjectAccess::integer(
        mp::detail::BigInteger(std::vector<std::uint32_t>(40, 1), true));
    CHECK_THROWS_AS(huge.to<double>(), mp::OverflowError);
    CHECK_THROWS_AS(huge.to<std::uint64_t>(), mp::OverflowError);
}

TEST_CASE("convert: the wrong length is a ValueError", "[object]") {
    using Pair = std::pair<int, int>;
    using Three = std::array<int, 3>;
    CHECK_THROWS_AS(mp::Object(mp::Tuple{1}).to<Pair>(), mp::ValueError);
    CHECK_THROWS_AS((mp::Object(mp::List{1, 2}).to<Three>()), mp::ValueError);
}

TEST_CASE("convert: by cast", "[object]") {
    mp::Object const list = mp::List{7, "text", 2.5};
    int const a = int(list[0]);
    auto const b = std::string(list[1]);
    CHECK(a == 7);
    CHECK(b == "text");
    CHECK(static_cast<double>(list[2]) == 2.5);
    CHECK(list.to<mp::List>().is_same(list));
}

TEST_CASE("convert: ranges and views fill containers", "[object]") {
    CHECK(mp::List(std::views::iota(0, 3)) == mp::List{0, 1, 2});
    CHECK(mp::Tuple(std::vector<std::string>{"a"}) == mp::Tuple{"a"});
    CHECK(mp::Set(std::vector{1, 1, 2}) == mp::Set{1, 2});
    CHECK(mp::Dict(std::vector<std::pair<int, char const*>>{{1, "a"}}) == mp::Dict{{1, "a"}});
    CHECK(mp::List(mp::Object("ab")) == mp::List{"a", "b"});
}
