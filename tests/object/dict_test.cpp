// SPDX-License-Identifier: MIT
// tests/object/dict_test.cpp — Dict and Set do what dict, set and frozenset do.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace mp = multiprocessing;

TEST_CASE("Dict: reads and writes", "[object]") {
    mp::Dict const dict{{"a", 1}, {"b", 2}};
    dict["c"] = 3;
    dict["a"] = "new";
    CHECK(dict.repr() == "{'a': 'new', 'b': 2, 'c': 3}");
    CHECK(dict.at("b") == 2);
    CHECK(dict.get("x").is_none());
    CHECK(dict.get("x", 5) == 5);
    CHECK(dict.setdefault("a", 0) == "new");
    CHECK(dict.setdefault("d", 4) == 4);
    CHECK_THROWS_WITH(dict.at("x"), "'x'");
    CHECK_THROWS_AS(dict["x"].get(), mp::KeyError);
    CHECK_THROWS_AS(dict.at(mp::List{}), mp::TypeError);
    CHECK(dict.pop("b") == 2);
    CHECK(dict.pop("b", "none") == "none");
    CHECK_THROWS_AS(dict.pop("b"), mp::KeyError);
    CHECK(dict.popitem() == std::pair<mp::Object, mp::Object>("d", 4));
    CHECK(dict.erase("c"));
    CHECK_FALSE(dict.erase("c"));
    CHECK(dict.repr() == "{'a': 'new'}");
    dict.clear();
    CHECK_THROWS_AS(dict.popitem(), mp::KeyError);
}

TEST_CASE("Dict: equal keys are one, and the first stays", "[object]") {
    mp::Dict const dict{{1, "int"}, {1.0, "float"}, {true, "bool"}};
    CHECK(dict.repr() == "{1: 'bool'}");
    CHECK(dict.contains(1.0));
    CHECK_FALSE(dict.contains("1"));
}

TEST_CASE("Dict: keys, values and items in the order of insertion", "[object]") {
    mp::Dict const dict{{"z", 1}, {"a", 2}};
    CHECK(dict.keys() == mp::List{"z", "a"});
    CHECK(dict.values() == mp::List{1, 2});
    std::string text;
    for (auto [key, value] : dict.items()) {
        text += key.str();
        value = 7;
    }
    CHECK(text == "za");
    CHECK(dict.values() == mp::List{7, 7});
    auto const copy = dict.copy();
    copy["new"] = 1;
    CHECK(dict.size() == 2);
    dict.update(mp::Dict{{"a", 0}, {"b", 0}});
    CHECK(dict.repr() == "{'z': 7, 'a': 0, 'b': 0}");
    CHECK_THROWS_AS([&] {
        for (auto [key, value] : dict.items()) dict[mp::Tuple{key}] = value;
    }(), mp::RuntimeError);
}

TEST_CASE("Dict: thousands of keys come and go", "[object]") {
    mp::Dict const dict;
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 3000; ++i) dict[i] = i * 2;
        for (int i = 0; i < 3000; i += 2) REQUIRE(dict.erase(i));
        REQUIRE(dict.size() == 1500);
        for (int i = 0; i < 3000; ++i) REQUIRE(dict.contains(i) == (i % 2 == 1));
    }
    while (!dict.empty()) dict.popitem();
    CHECK_FALSE(dict.contains(1));
    for (int i = 0; i < 100'000; ++i) {  // the last place is used again and again
        dict[i] = i;
        REQUIRE(dict.pop(i) == i);
    }
    for (int i = 0; i < 20; ++i) dict["key " + std::to_string(i)] = i;
    for (int i = 0; i < 100'000; ++i) {
        dict[i] = i;
        REQUIRE(dict.popitem().second == i);
    }
    CHECK(dict["key 19"] == 19);
    CHECK(dict.size() == 20);
}

TEST_CASE("Set: adds, removes and compares", "[object]") {
    mp::Set const set{1, 2, 1.0};
    CHECK(set.size() == 2);
    set.add("x");
    set.discard("not there");
    set.remove(2);
    CHECK(set.repr() == "{1, 'x'}");
    CHECK_THROWS_AS(set.remove(2), mp::KeyError);
    CHECK_THROWS_AS(set.add(mp::List{}), mp::TypeError);
    set.update(std::vector{5, 6});
    set.update(set);
    CHECK(mp::Set{1}.issubset(set));
    CHECK(set.issuperset(mp::FrozenSet{1, "x"}));
    CHECK(set.isdisjoint(mp::Set{7}));
    CHECK_FALSE(set.isdisjoint(mp::Set{5}));
    auto const copy = set.copy();
    CHECK(set.pop() == 6);
    CHECK(copy.contains(6));
    set.clear();
    CHECK_THROWS_AS(set.pop(), mp::KeyError);
}

TEST_CASE("FrozenSet: may be a key", "[object]") {
    mp::Dict const dict{{mp::FrozenSet{1, 2}, "here"}};
    CHECK(dict.at(mp::FrozenSet{2, 1}) == "here");
    CHECK(mp::FrozenSet{mp::Object(mp::FrozenSet{1})}.contains(mp::FrozenSet{1}));
}
