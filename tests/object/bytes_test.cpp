// SPDX-License-Identifier: MIT
// tests/object/bytes_test.cpp — Bytes as Python shows and compares them.
#include <multiprocessing/object/bytes.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace mp = multiprocessing;

TEST_CASE("Bytes: text as Python's repr", "[object]") {
    CHECK(fmt::format("{}", mp::Bytes("abc")) == "b'abc'");
    CHECK(fmt::format("{:r}", mp::Bytes(std::string("a\0\xff\n", 4))) == "b'a\\x00\\xff\\n'");
    CHECK(fmt::format("{}", mp::Bytes("it's")) == "b\"it's\"");
    CHECK(fmt::format("{}", mp::Bytes("'\"")) == "b'\\'\"'");
    CHECK(fmt::format("{}", mp::Bytes("\\\t\r\x7f")) == "b'\\\\\\t\\r\\x7f'");
    CHECK(fmt::format("{}", mp::Bytes{}) == "b''");
}

TEST_CASE("Bytes: bytes are numbers, and compare as such", "[object]") {
    mp::Bytes const bytes{0, 128, 255};
    CHECK(bytes.size() == 3);
    CHECK(bytes[1] == 128);
    CHECK(std::vector<int>(bytes.begin(), bytes.end()) == std::vector{0, 128, 255});
    CHECK(mp::Bytes("a") < mp::Bytes("b"));
    CHECK(mp::Bytes{127} < mp::Bytes{128});
    CHECK(mp::Bytes("a") < mp::Bytes("aa"));
    CHECK(mp::Bytes("a") == mp::Bytes{97});
}

TEST_CASE("Bytes: pickled", "[object]") {
    mp::Bytes const bytes(std::string(1000, '\0') + "end");
    CHECK(mp::loads<mp::Bytes>(mp::dumps(bytes)) == bytes);
    CHECK_THROWS_AS(mp::loads<std::string>(mp::dumps(bytes)), mp::UnpicklingError);
}
