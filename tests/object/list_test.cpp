// SPDX-License-Identifier: MIT
// tests/object/list_test.cpp — List and Tuple do what list and tuple do.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace mp = multiprocessing;

TEST_CASE("List: grows and shrinks", "[object]") {
    mp::List const list{1, 2, 3};
    list.append("x");
    list.extend(std::vector{7, 8});
    list.extend(list);
    CHECK(list.repr() == "[1, 2, 3, 'x', 7, 8, 1, 2, 3, 'x', 7, 8]");
    CHECK(list.pop() == 8);
    CHECK(list.pop(0) == 1);
    CHECK(list.pop(-2) == "x");
    list.remove(2);
    CHECK(list.repr() == "[3, 'x', 7, 8, 1, 2, 3, 7]");
    list.insert(1, "in");
    list.insert(-1, "before last");
    list.insert(99, "end");
    list.insert(-99, "start");
    CHECK(list.repr() == "['start', 3, 'in', 'x', 7, 8, 1, 2, 3, 'before last', 7, 'end']");
    list.clear();
    CHECK(list.empty());
    CHECK_THROWS_WITH(list.pop(), "pop from empty list");
}

TEST_CASE("List: finds", "[object]") {
    mp::List const list{1, "a", 1.0};
    CHECK(list.index("a") == 1);
    CHECK(list.count(1) == 2);
    CHECK(list.contains(true));
    CHECK_THROWS_WITH(list.index("b"), "'b' is not in list");
    CHECK_THROWS_AS(list.remove(7), mp::ValueError);
    CHECK_THROWS_WITH(list[3], "list index out of range");
    CHECK_THROWS_WITH(list.pop(5), "pop index out of range");
    list[-1] = "last";
    CHECK(list[2] == "last");
}

TEST_CASE("List: sorts stably and leaves the list alone on an error", "[object]") {
    mp::List const list{3, 1.0, 2, 1, true};
    list.sort();
    CHECK(list.repr() == "[1.0, 1, True, 2, 3]");
    list.sort(true);
    CHECK(list.repr() == "[3, 2, 1.0, 1, True]");
    list.reverse();
    CHECK(list.repr() == "[True, 1, 1.0, 2, 3]");
    mp::List const mixed{2, "a", 1};
    CHECK_THROWS_AS(mixed.sort(), mp::TypeError);
    CHECK(mixed.repr() == "[2, 'a', 1]");
    mp::List const many;
    for (int i = 0; i < 1000; ++i) many.append((i * 7919) % 1000);
    many.sort();
    for (int i = 0; i < 1000; ++i) REQUIRE(many[i] == i);
}

TEST_CASE("List: a copy is another list of the same items", "[object]") {
    mp::List const list{mp::Object(mp::List{1})};
    auto const copy = list.copy();
    copy.append(2);
    copy[0].to<mp::List>().append("shared");
    CHECK(list.repr() == "[[1, 'shared']]");
}

TEST_CASE("List: loops", "[object]") {
    mp::List const list{1, 2};
    for (auto& x : list) x = x.repr();
    CHECK(list.repr() == "['1', '2']");
}

TEST_CASE("Tuple: indexes and finds", "[object]") {
    mp::Tuple const tuple{1, "a", 1};
    CHECK(tuple[-2] == "a");
    CHECK(tuple.size() == 3);
    CHECK(tuple.index("a") == 1);
    CHECK(tuple.count(1) == 2);
    CHECK_THROWS_WITH(tuple[3], "tuple index out of range");
    CHECK_THROWS_AS(tuple.index(5), mp::ValueError);
    CHECK(std::vector<mp::Object>(tuple.begin(), tuple.end()).size() == 3);
}
