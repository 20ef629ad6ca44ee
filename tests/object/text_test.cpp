// SPDX-License-Identifier: MIT
// tests/object/text_test.cpp — Objects as Python's print and repr show them.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <complex>
#include <limits>
#include <string>
#include <vector>

#include <fmt/ranges.h>

namespace mp = multiprocessing;

namespace {
std::string repr(mp::Object const& object) { return fmt::format("{:r}", object); }
std::string str(mp::Object const& object) { return fmt::format("{}", object); }
}  // namespace

TEST_CASE("text: str and repr differ for text only", "[object]") {
    CHECK(str("it's") == "it's");
    CHECK(repr("it's") == "\"it's\"");
    CHECK(str(mp::List{42, mp::None, "hello"}) == "[42, None, 'hello']");
    CHECK(fmt::format("{}", mp::List{true, 1.0}) == "[True, 1.0]");
    CHECK(fmt::format("{}", std::vector<mp::Object>{1, "a"}) == "[1, 'a']");
    mp::Object const dict = mp::Dict{{"k", "v"}};
    CHECK(fmt::format("{} {:r}", dict["k"], dict["k"]) == "v 'v'");
}

TEST_CASE("text: containers", "[object]") {
    CHECK(repr(mp::Tuple{}) == "()");
    CHECK(repr(mp::Tuple{1}) == "(1,)");
    CHECK(repr(mp::Tuple{1, 2}) == "(1, 2)");
    CHECK(repr(mp::Dict{{1, "1"}, {"2", 2}, {0.25, mp::None}}) == "{1: '1', '2': 2, 0.25: None}");
    CHECK(repr(mp::Set{}) == "set()");
    CHECK(repr(mp::Set{3, 1}) == "{3, 1}");
    CHECK(repr(mp::FrozenSet{}) == "frozenset()");
    CHECK(repr(mp::FrozenSet{1}) == "frozenset({1})");
    CHECK(repr(mp::ByteArray(mp::Bytes{0, 39})) == "bytearray(b\"\\x00'\")");
}

TEST_CASE("text: a container that holds itself", "[object]") {
    mp::List const list{1};
    list.append(list);
    CHECK(repr(list) == "[1, [...]]");
    mp::Dict const dict{{"k", list}};
    list.append(dict);
    CHECK(repr(dict) == "{'k': [1, [...], {...}]}");
    mp::List const inner;
    mp::Tuple const tuple{inner, 1};
    inner.append(tuple);
    CHECK(repr(tuple) == "([(...)], 1)");
    mp::List const twice{mp::Object(mp::List{})};
    twice.append(twice[0]);
    CHECK(repr(twice) == "[[], []]");
    list.clear();
    inner.clear();
}

TEST_CASE("text: floats show the fewest digits that tell them apart", "[object]") {
    auto const max = std::numeric_limits<double>::max();
    CHECK(repr(0.0) == "0.0");
    CHECK(repr(-0.0) == "-0.0");
    CHECK(repr(0.1) == "0.1");
    CHECK(repr(1.0 / 3) == "0.3333333333333333");
    CHECK(repr(0.1 + 0.2) == "0.30000000000000004");
    CHECK(repr(1e15) == "1000000000000000.0");
    CHECK(repr(1e16) == "1e+16");
    CHECK(repr(123456789012345680.0) == "1.2345678901234568e+17");
    CHECK(repr(0.0001) == "0.0001");
    CHECK(repr(0.00001) == "1e-05");
    CHECK(repr(max) == "1.7976931348623157e+308");
    CHECK(repr(5e-324) == "5e-324");
    CHECK(repr(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(repr(-std::numeric_limits<double>::infinity()) == "-inf");
    CHECK(repr(-std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("text: complex numbers", "[object]") {
    auto const inf = std::numeric_limits<double>::infinity();
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(repr(std::complex(1.0, 2.0)) == "(1+2j)");
    CHECK(repr(std::complex(0.0, 0.0)) == "0j");
    CHECK(repr(std::complex(0.0, -1.5)) == "-1.5j");
    CHECK(repr(std::complex(-0.0, -1.5)) == "(-0-1.5j)");
    CHECK(repr(std::complex(inf, 0.0)) == "(inf+0j)");
    CHECK(repr(std::complex(1.0, nan)) == "(1+nanj)");
    CHECK(repr(std::complex(1e16, 0.5)) == "(1e+16+0.5j)");
}

TEST_CASE("text: quotes and escapes of a str", "[object]") {
    CHECK(repr("") == "''");
    CHECK(repr("a'b") == "\"a'b\"");
    CHECK(repr("a\"b") == "'a\"b'");
    CHECK(repr("'\"") == "'\\'\"'");
    CHECK(repr("a\\b\t\n\r") == "'a\\\\b\\t\\n\\r'");
    CHECK(repr(std::string("\0\x1f\x7f", 3)) == "'\\x00\\x1f\\x7f'");
    CHECK(repr("café") == "'café'");
    CHECK(repr("\u00a0\u00ad") == "'\\xa0\\xad'");
    CHECK(repr("\u0378") == "'\u0378'");  // unassigned, in a small gap
    CHECK(repr("\u200b\u2028\ufeff") == "'\\u200b\\u2028\\ufeff'");
    CHECK(repr("\U0001f600\U000e0001\U0010ffff") == "'\U0001f600\\U000e0001\\U0010ffff'");
    CHECK(repr("\xed\xa0\x80") == "'\\ud800'");  // a lone surrogate
    CHECK(repr("a\xff") == "'a\\xff'");          // no UTF-8 at all
    CHECK(str("a\n") == "a\n");
}

TEST_CASE("text: classes, constants and exceptions", "[object]") {
    CHECK(repr(mp::Global("builtins", "int")) == "<class 'int'>");
    CHECK(repr(mp::Global("queue", "Empty")) == "<class 'queue.Empty'>");
    CHECK(repr(mp::Global("builtins", "Ellipsis")) == "Ellipsis");
    auto const error = [](char const* name, mp::Tuple const& arguments) {
        return mp::Object(mp::Instance(mp::Global("builtins", name), arguments));
    };
    CHECK(repr(error("ValueError", {"x"})) == "ValueError('x')");
    CHECK(str(error("ValueError", {"x"})) == "x");
    CHECK(str(error("ValueError", {})).empty());
    CHECK(str(error("ValueError", {"x", 1})) == "('x', 1)");
    CHECK(str(error("KeyError", {"x"})) == "'x'");
    CHECK(str(error("RuntimeError", {error("ValueError", {"in"})})) == "in");
    CHECK(str(error("slice", {1, 2, mp::None})) == "slice(1, 2, None)");
}

TEST_CASE("text: depth is bounded, and so is what is shared many times", "[object]") {
    mp::Object deep = mp::List{};
    for (int i = 0; i < 900; ++i) deep = mp::List{deep};
    CHECK(repr(deep) == std::string(901, '[') + std::string(901, ']'));
    for (int i = 0; i < 200; ++i) deep = mp::List{deep};
    CHECK_THROWS_AS(repr(deep), mp::RuntimeError);
    mp::Object bomb = mp::List{};
    for (int i = 0; i < 60; ++i) bomb = mp::List{bomb, bomb};
    auto const text = repr(bomb);
    CHECK(text.size() < 2'000'000);
    CHECK(text.ends_with("[...]]"));
}
