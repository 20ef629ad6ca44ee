// SPDX-License-Identifier: MIT
// tests/object/object_test.cpp — what an Object is, names, holds and goes through.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
using Kind = mp::ObjectKind;

TEST_CASE("Object: takes the type of what it is made of", "[object]") {
    CHECK(mp::Object().kind() == Kind::none);
    CHECK(mp::Object(mp::None).is_none());
    CHECK(mp::Object(true).kind() == Kind::boolean);
    CHECK(mp::Object(1).kind() == Kind::integer);
    CHECK(mp::Object(~0ull).kind() == Kind::big_integer);
    CHECK(mp::Object(1.5f).kind() == Kind::real);
    CHECK(mp::Object("true").kind() == Kind::text);  // a literal is no bool
    CHECK(mp::Object(mp::Bytes("x")).kind() == Kind::bytes);
    CHECK(mp::Object(mp::List{1}).kind() == Kind::list);
    CHECK(mp::Object(mp::FrozenSet{1}).kind() == Kind::frozen_set);
    CHECK(mp::Object(~0ull).type_name() == "int");
    CHECK(mp::Object(mp::Instance(mp::Global("builtins", "ValueError"))).type_name() ==
          "ValueError");
    STATIC_REQUIRE(sizeof(mp::Object) == 16);
    STATIC_REQUIRE(!std::is_constructible_v<mp::Object, void*>);
    STATIC_REQUIRE(!std::is_constructible_v<mp::Object, char>);
    STATIC_REQUIRE(!std::is_convertible_v<mp::Object, int>);
}

TEST_CASE("Object: copies of a container name the same one", "[object]") {
    mp::Object const a = mp::List{1, 2};
    mp::Object const b = a;
    b[0] = "changed";
    CHECK(a[0] == "changed");
    CHECK(a.is_same(b));
    CHECK_FALSE(a.is_same(mp::List{"changed", 2}));
    mp::Object moved = b;
    mp::Object const to = std::move(moved);
    CHECK(to.is_same(a));
    CHECK(moved.is_none());  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("Object: true is what is neither empty nor zero", "[object]") {
    std::vector<mp::Object> const empty{mp::None,   false,      0,           0.0,      "",
                                        mp::List{}, mp::Dict{}, mp::Tuple{}, mp::Set{}};
    for (auto const& x : empty) CHECK_FALSE(x);
    std::vector<mp::Object> const full{true, -1, 0.1, "0", mp::List{mp::None}, ~0ull};
    for (auto const& x : full) CHECK(x);
}

TEST_CASE("Object: indexing", "[object]") {
    mp::Object const list = mp::List{1, mp::Dict{{"k", mp::Tuple{5, 6}}}};
    CHECK(list[1]["k"][-1] == 6);
    CHECK(int(list[0]) == 1);
    CHECK(list.at(-2) == 1);
    CHECK_THROWS_AS(list.at(2), mp::IndexError);
    CHECK_THROWS_AS(list.at(-3), mp::IndexError);
    CHECK_THROWS_WITH(list.at("x"), "list indices must be integers or slices, not str");
    CHECK_THROWS_AS(list[1]["missing"].get(), mp::KeyError);
    CHECK_THROWS_WITH(list[1]["missing"].get(), "'missing'");
    CHECK_THROWS_AS(mp::Object(5).at(0), mp::TypeError);
    CHECK(mp::Object("añb").at(1) == "ñ");
    CHECK(mp::Object(mp::Bytes{7, 200}).at(1) == 200);

    list[1]["new"] = list[0];
    CHECK(list[1]["new"] == 1);
    CHECK_THROWS_AS(list[9] = 1, mp::IndexError);
    CHECK_THROWS_AS(mp::Object(mp::Tuple{1})[0] = 1, mp::TypeError);
    CHECK_THROWS_AS(list[1][mp::List{}] = 1, mp::TypeError);
}

TEST_CASE("Object: an item outlives the name of its container", "[object]") {
    auto const make = [] {
        mp::Object const dict = mp::Dict{{"k", 1}};
        return dict["k"];
    };
    CHECK(make() == 1);
}

TEST_CASE("Object: length", "[object]") {
    CHECK(mp::Object("añb").size() == 3);
    CHECK(mp::Object(mp::Bytes("añb")).size() == 4);
    CHECK(mp::Object(mp::Dict{{1, 2}}).size() == 1);
    CHECK_THROWS_WITH(mp::Object(5).size(), "object of type 'int' has no len()");
}

TEST_CASE("Object: membership", "[object]") {
    CHECK(mp::Object(mp::List{1, "a"}).contains("a"));
    CHECK_FALSE(mp::Object(mp::Tuple{1}).contains("a"));
    CHECK(mp::Object(mp::Dict{{"a", 1}}).contains("a"));
    CHECK(mp::Object("abc").contains("bc"));
    CHECK_THROWS_AS(mp::Object("abc").contains(1), mp::TypeError);
    CHECK(mp::Object(mp::Bytes("abc")).contains(mp::Bytes("b")));
    CHECK(mp::Object(mp::Bytes("abc")).contains(97));
    CHECK_THROWS_AS(mp::Object(1).contains(1), mp::TypeError);
}

TEST_CASE("Object: iteration", "[object]") {
    auto const all = [](mp::Object const& object) {
        std::string text;
        for (auto const& x : object) text += x.repr() + ' ';
        return text;
    };
    CHECK(all(mp::List{1, "a"}) == "1 'a' ");
    CHECK(all("añ") == "'a' 'ñ' ");
    CHECK(all(mp::Bytes{1, 255}) == "1 255 ");
    CHECK(all(mp::Dict{{"x", 1}, {"y", 2}}) == "'x' 'y' ");
    CHECK(all(mp::Set{}).empty());
    CHECK_THROWS_WITH(all(5), "'int' object is not iterable");

    mp::Dict const dict{{1, 1}, {2, 2}};
    auto at = dict.begin();
    dict[3] = 3;
    CHECK_THROWS_WITH(++at, "dictionary changed size during iteration");
}

TEST_CASE("Object: what is nested very deeply is destroyed without recursion", "[object]") {
    mp::Object nested = mp::List{};
    for (int i = 0; i < 200'000; ++i) nested = mp::List{mp::Object(mp::Tuple{nested})};
    CHECK(nested.size() == 1);
    nested = mp::None;
    mp::Object dicts = 1;
    for (int i = 0; i < 200'000; ++i) dicts = mp::Dict{{"k", dicts}};
    CHECK(dicts.size() == 1);
}
