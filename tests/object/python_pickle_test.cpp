// SPDX-License-Identifier: MIT
// tests/object/python_pickle_test.cpp — values made here as CPython would pickle them; limits.
#include <multiprocessing/object.hpp>
#include <multiprocessing/object/python_pickle.hpp>

#include "object/canon.hpp"
#include "support/catch.hpp"

#include <complex>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mp = multiprocessing;

namespace {

std::string dumped(mp::Object const& object, int protocol = 4) {
    return vectors::hex(mp::python_dumps(object, {.protocol = protocol}).view());
}

mp::Object loaded(std::string_view hex) { return mp::python_loads(vectors::unhex(hex)); }

/// Opcodes repeated, between others.
std::string repeated(std::string_view before, std::string_view hex, int times,
                     std::string_view after) {
    auto bytes = vectors::unhex(before);
    for (int i = 0; i < times; ++i) bytes += vectors::unhex(hex);
    return bytes + vectors::unhex(after);
}

}  // namespace

// The expected bytes are what CPython's pickle.dumps(value, 4) gives.
TEST_CASE("python_pickle: values made in C++ are written as CPython writes them", "[object]") {
    CHECK(dumped(mp::None) == "80044e2e");
    CHECK(dumped(true) == "8004882e");
    CHECK(dumped(255) == "80044bff2e");
    CHECK(dumped(65535) == "8004950400000000000000" "4dffff2e");
    CHECK(dumped(-1) == "8004950600000000000000" "4affffffff2e");
    CHECK(dumped(std::int64_t{1} << 31) == "8004950800000000000000" "8a0500000080002e");
    CHECK(dumped(1.5) == "8004950a00000000000000" "473ff80000000000002e");
    CHECK(dumped("abc") == "8004950700000000000000" "8c03616263942e");
    CHECK(dumped(mp::Bytes("abc")) == "8004950700000000000000" "4303616263942e");
    CHECK(dumped(mp::List{}) == "80045d942e");
    CHECK(dumped(mp::Tuple{}) == "8004292e");
    CHECK(dumped(mp::List{42, mp::None, "hello"}) ==
          "8004951000000000000000" "5d94284b2a4e8c0568656c6c6f94652e");
    CHECK(dumped(mp::Dict{{"a", 1}}) == "8004950a00000000000000" "7d948c0161944b01732e");
    CHECK(dumped(mp::Set{1}) == "8004950700000000000000" "8f94284b01902e");
    CHECK(dumped(mp::Tuple{1, 2, 3, 4}) == "8004950c00000000000000" "284b014b024b034b0474942e");
    CHECK(dumped(mp::ByteArray(mp::Bytes("x")), 5) ==
          "8005950c00000000000000" "96010000000000000078942e");
    mp::Instance const error(mp::Global("builtins", "KeyError"), {"zz"});
    CHECK(dumped(error) == "8004952200000000000000"
                           "8c086275696c74696e73948c084b65794572726f729493948c027a7a948594"
                           "52942e");
}

TEST_CASE("python_pickle: what is one object is written once", "[object]") {
    mp::List const shared{1, 2};
    CHECK(dumped(mp::List{shared, shared}) ==
          "8004950f00000000000000" "5d94285d94284b014b02656801652e");
    mp::Object const text = "abc";
    CHECK(dumped(mp::List{text, text}) == "8004950d00000000000000" "5d94288c036162639468"
                                          "01652e");
    mp::List const ring;
    ring.append(ring);
    CHECK(dumped(ring) == "8004950600000000000000" "5d946800612e");
    ring.clear();
    mp::Object bomb = mp::List{};
    for (int i = 0; i < 100; ++i) bomb = mp::List{bomb, bomb};
    CHECK(mp::python_dumps(bomb).size() < 1500);
    CHECK(mp::python_loads(mp::python_dumps(bomb)).size() == 2);
}

TEST_CASE("python_pickle: what cannot be written is a PicklingError", "[object]") {
    CHECK_THROWS_AS(mp::python_dumps("\xff"), mp::PicklingError);
    mp::Object deep = mp::List{};
    for (int i = 0; i < 1100; ++i) deep = mp::List{deep};
    CHECK_THROWS_AS(mp::python_dumps(deep), mp::PicklingError);
    CHECK_THROWS_AS(mp::python_dumps(1, {.protocol = 3}), mp::ValueError);
}

TEST_CASE("python_pickle: depth is not limited when reading", "[object]") {
    auto deep = mp::python_loads(repeated("", "5d", 200'000, "") + std::string(199'999, 'a') + ".");
    CHECK(deep.size() == 1);
    deep = mp::None;
}

TEST_CASE("python_pickle: rings that are no part of the result are freed", "[object]") {
    // The leak checker of a sanitizer sees what is not: a list made, put into itself, dropped.
    CHECK(mp::python_loads(repeated("", "5d326130", 1000, "4e2e")).is_none());
    CHECK(mp::python_loads(repeated("", "5d94680061304e30", 10, "4e2e")).is_none());
    CHECK_THROWS_AS(mp::python_loads(repeated("", "5d326130", 10, "ff")), mp::UnpicklingError);
    // A ring that the result holds stays whole.
    auto const ring = loaded("5d946800612e");
    CHECK(ring.is<mp::List>());
    mp::break_rings(ring);
}

TEST_CASE("python_pickle: a pickle cannot copy more than it holds", "[object]") {
    // A list of 1000 ints becomes a set again and again.
    auto const list = repeated("80045d94", "28" "4b01" "65", 1000, "30");
    auto const sets = repeated("636275696c74696e730a7365740a71ff30", "68ff680085523030", 0, "");
    auto bytes = list + sets;
    for (int i = 0; i < 1000; ++i) bytes += vectors::unhex("68ff68008552");
    CHECK_THROWS_WITH(mp::python_loads(bytes + "."), "the pickle copies more than it holds");
}

TEST_CASE("python_pickle: options", "[object]") {
    auto const point = vectors::unhex("80048c03666f6f8c05506f696e749329522e");
    CHECK_THROWS_WITH(mp::python_loads(point), "global 'foo.Point' is forbidden");
    auto const kept = mp::python_loads(point, {.unknown_globals = true});
    CHECK(kept.repr() == "foo.Point()");
    auto const dotted = vectors::unhex("80048c03666f6f8c06506f2e6e747a932e");
    CHECK_THROWS_AS(mp::python_loads(dotted, {.unknown_globals = true}), mp::UnpicklingError);
    CHECK_THROWS_WITH(mp::python_loads(repeated("", "4e", 11, "2e"), {.max_values = 10}),
                      "the pickle has too many values");
}

TEST_CASE("python_pickle: an exception arrives as its name and text", "[object]") {
    auto const error =
        loaded("80048c086275696c74696e738c074f534572726f7293" "4b02" "8c0161" "8652" "2e");
    CHECK(error.type_name() == "FileNotFoundError");
    CHECK(error.str() == "(2, 'a')");
    CHECK(error.to<mp::Instance>().global().module() == "builtins");
}
