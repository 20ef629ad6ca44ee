// SPDX-License-Identifier: MIT
// tests/object/compare_test.cpp — equality, order and hashes as Python's.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <unordered_set>
#include <vector>

namespace mp = multiprocessing;

namespace {
mp::Object big(char const* digits) {
    return mp::detail::ObjectAccess::integer(*mp::detail::BigInteger::from_text(digits));
}
mp::Object doubled(int times) {
    mp::Object x = mp::Tuple{};
    for (int i = 0; i < times; ++i) x = mp::Tuple{x, x};
    return x;
}
}  // namespace

TEST_CASE("compare: numbers are equal across types, and so are their hashes", "[object]") {
    std::vector<std::vector<mp::Object>> const groups{
        {1, 1.0, true, std::complex(1.0, 0.0)},
        {0, 0.0, -0.0, false},
        {std::int64_t{1} << 62, std::ldexp(1.0, 62)},
        {big("9223372036854775808"), std::ldexp(1.0, 63), std::uint64_t{1} << 63},
        {std::numeric_limits<std::int64_t>::min(), -std::ldexp(1.0, 63)},
        {big("1267650600228229401496703205376"), std::ldexp(1.0, 100)},
        {big("-1267650600228229401496703205376"), -std::ldexp(1.0, 100)},
        {"1"},
        {mp::Bytes("1")},
        {mp::None},
        {1.5, std::complex(1.5, 0.0)},
        {std::complex(1.5, 1.0)},
        {mp::Tuple{1, "a"}, mp::Tuple{1.0, "a"}},
        {mp::FrozenSet{1, 2}, mp::FrozenSet{2.0, true}},
        {std::numeric_limits<double>::infinity()},
    };
    for (auto const& group : groups) {
        for (auto const& x : group) {
            for (auto const& other : groups)
                for (auto const& y : other) CHECK((x == y) == (&group == &other));
            CHECK(x.hash() == group[0].hash());
        }
    }
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(mp::Object(nan) == nan);
}

TEST_CASE("compare: ints and floats exactly", "[object]") {
    auto const two_53 = std::int64_t{1} << 53;
    CHECK(mp::Object(two_53 + 1) > std::ldexp(1.0, 53));
    CHECK(mp::Object(two_53) == std::ldexp(1.0, 53));
    CHECK(mp::Object(1) < 1.5);
    CHECK(mp::Object(-1) > -1.5);
    CHECK(mp::Object(1.5) > 1);
    CHECK(std::numeric_limits<double>::infinity() > big("1" "000000000000000000000000000000"));
    CHECK(mp::Object(1e300) > big("100000000000000000000000000"));
    CHECK(big("-100000000000000000000000000") < -5);
    CHECK(big("100000000000000000000000001") > big("100000000000000000000000000"));
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(mp::Object(nan) < 1);
    CHECK_FALSE(mp::Object(1) < nan);
    CHECK_FALSE(big("100000000000000000000000000") < nan);
}

TEST_CASE("compare: sequences by their first difference", "[object]") {
    CHECK(mp::List{1, 2} < mp::List{1, 3});
    CHECK(mp::List{1} < mp::List{1, 0});
    CHECK(mp::Tuple{"b"} > mp::Tuple{"a", 5});
    CHECK(mp::Object("Z") < "a");
    CHECK(mp::Object("\uffff") < "\U00010000");
    CHECK(mp::Object(mp::Bytes{200}) > mp::Bytes{100});
    CHECK(mp::List{1, 2} == mp::List{1.0, 2});
    CHECK_FALSE(mp::Object(mp::List{1}) == mp::Tuple{1});
    CHECK(mp::Object(mp::ByteArray(mp::Bytes("a"))) == mp::Bytes("a"));
    CHECK_FALSE(mp::Object("a") == mp::Bytes("a"));
}

TEST_CASE("compare: dicts in any order, sets by inclusion", "[object]") {
    CHECK(mp::Dict{{1, 2}, {3, 4}} == mp::Dict{{3, 4}, {1, 2}});
    CHECK_FALSE(mp::Dict{{1, 2}} == mp::Dict{{1, 3}});
    CHECK(mp::Object(mp::Set{1, 2}) == mp::FrozenSet{2, 1});
    CHECK(mp::Set{1} < mp::Set{1, 2});
    CHECK_FALSE(mp::Set{1} < mp::Set{2, 3});
    CHECK_FALSE(mp::Set{1} > mp::Set{2, 3});
    CHECK(mp::Set{1} <= mp::Set{1});
}

TEST_CASE("compare: what Python does not order is a TypeError", "[object]") {
    CHECK_THROWS_WITH(mp::Object(1) < "a",
                      "'<' not supported between instances of 'int' and 'str'");
    CHECK_THROWS_AS(mp::Object(mp::None) < mp::None, mp::TypeError);
    CHECK_THROWS_AS((mp::Dict{} < mp::Dict{}), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(std::complex(1.0, 1.0)) < 1, mp::TypeError);
    CHECK_THROWS_AS((mp::List{1, "a"} < mp::List{1, 2}), mp::TypeError);
    CHECK(mp::List{1, "a"} < mp::List{2, 2});
}

TEST_CASE("compare: what can change has no hash", "[object]") {
    CHECK_THROWS_WITH(mp::Object(mp::List{}).hash(), "unhashable type: 'list'");
    CHECK_THROWS_AS(mp::Object(mp::Tuple{1, mp::Dict{}}).hash(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(mp::Set{}).hash(), mp::TypeError);
    CHECK_THROWS_AS(mp::Object(mp::ByteArray()).hash(), mp::TypeError);
    std::unordered_set<mp::Object> const set{1, 1.0, "a", mp::Tuple{1}};
    CHECK(set.size() == 3);
}

TEST_CASE("compare: what is shared many times takes no time beyond its size", "[object]") {
    auto const a = doubled(60);  // 2^60 tuples, if each were met every time
    auto const b = doubled(60);
    CHECK(a == b);
    CHECK(a.hash() == b.hash());
}

TEST_CASE("compare: rings and deep values end with an error", "[object]") {
    mp::List const a;
    mp::List const b;
    a.append(b);
    b.append(a);
    CHECK_THROWS_AS(a == b, mp::RuntimeError);
    CHECK(a == a);
    a.clear();
    mp::Object deep = mp::Tuple{};
    for (int i = 0; i < 2000; ++i) deep = mp::Tuple{deep};
    CHECK_THROWS_AS(deep.hash(), mp::RuntimeError);
    mp::Object other = mp::Tuple{};
    for (int i = 0; i < 2000; ++i) other = mp::Tuple{other};
    CHECK_THROWS_AS(deep == other, mp::RuntimeError);
    CHECK_THROWS_AS(deep < other, mp::RuntimeError);
}
