// SPDX-License-Identifier: MIT
// tests/object/integer_test.cpp — integers of any size: text, bytes, order, floats.
#include <multiprocessing/object/integer.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mp = multiprocessing;
using mp::detail::BigInteger;

namespace {
BigInteger number(std::string_view text) { return BigInteger::from_text(text).value(); }
}  // namespace

TEST_CASE("integer: text there and back", "[object]") {
    for (std::string const text :
         {"0", "1", "-1", "999999999", "1000000000", "4294967296", "-18446744073709551616",
          "170141183460469231731687303715884105728",
          "100000000000000000000000000000000000000000000000000000000000000000000000000000000001"})
        CHECK(number(text).text() == text);
    CHECK(number("+007").text() == "7");
    CHECK(number("-0").text() == "0");
    for (char const* bad : {"", "-", "1a", "--1", " 1", "1 "})
        CHECK_FALSE(BigInteger::from_text(bad));
    CHECK(number("1" + std::string(4299, '0')).text().size() == 4300);
    CHECK_THROWS_AS(number("1" + std::string(4300, '0')).text(), mp::ValueError);
    CHECK_THROWS_AS(number("1" + std::string(9000, '0')).text(), mp::ValueError);
}

TEST_CASE("integer: two's complement is as short as the sign allows", "[object]") {
    auto const bytes = [](std::string_view text) { return number(text).bytes(); };
    using Bytes = std::vector<unsigned char>;
    CHECK(bytes("0") == Bytes{});
    CHECK(bytes("1") == Bytes{1});
    CHECK(bytes("-1") == Bytes{0xff});
    CHECK(bytes("127") == Bytes{0x7f});
    CHECK(bytes("128") == Bytes{0x80, 0});
    CHECK(bytes("-128") == Bytes{0x80});
    CHECK(bytes("-129") == Bytes{0x7f, 0xff});
    CHECK(bytes("9223372036854775808").size() == 9);
    CHECK(bytes("-9223372036854775808").size() == 8);
    for (std::string const text :
         {"1", "-1", "255", "-256", "65535", "-65536", "4294967295", "-4294967296",
          "-170141183460469231731687303715884105728", "170141183460469231731687303715884105727"}) {
        auto const value = number(text);
        auto padded = value.bytes();
        CHECK(BigInteger::from_bytes(padded) == value);
        padded.insert(padded.end(), 5, value.negative() ? 0xff : 0);
        CHECK(BigInteger::from_bytes(padded) == value);
    }
    CHECK(BigInteger::from_bytes({}).text() == "0");
}

TEST_CASE("integer: within 64 bits", "[object]") {
    auto const min = std::numeric_limits<std::int64_t>::min();
    CHECK(BigInteger(min).as_int64() == min);
    CHECK(BigInteger(min).text() == "-9223372036854775808");
    CHECK_FALSE(number("9223372036854775808").as_int64());
    CHECK(number("18446744073709551615").as_uint64() == ~std::uint64_t{0});
    CHECK_FALSE(number("18446744073709551616").as_uint64());
    CHECK_FALSE(number("-1").as_uint64());
}

TEST_CASE("integer: order", "[object]") {
    std::vector<std::string> const ordered{
        "-100000000000000000000", "-99999999999999999999", "-5", "0", "4", "4294967296",
        "99999999999999999999"};
    for (std::size_t i = 0; i < ordered.size(); ++i)
        for (std::size_t j = 0; j < ordered.size(); ++j)
            CHECK((number(ordered[i]) <=> number(ordered[j])) == (i <=> j));
}

TEST_CASE("integer: to the nearest float and back", "[object]") {
    CHECK(number("18446744073709551616").to_double() == 0x1p64);
    CHECK(number("-36893488147419103232").to_double() == -0x1p65);
    // Halfway between two floats the even one, above it the next.
    CHECK(number("36893488147419107328").to_double() == 36893488147419103232.0);
    CHECK(number("36893488147419107329").to_double() == 36893488147419111424.0);
    CHECK(number("10000000000000000000000").to_double() == 1e22);
    CHECK(number("1" + std::string(308, '0')).to_double() == 1e308);
    CHECK(std::isinf(number("1" + std::string(400, '0')).to_double()));
    CHECK(BigInteger::truncated(1e22).text() == "10000000000000000000000");
    CHECK(BigInteger::truncated(-2.75).text() == "-2");
    CHECK(BigInteger::truncated(0.99).text() == "0");
    for (double const value : {0x1p63, 0x1.fffffffffffffp100, -0x1.8p1023, 0x1p53, 3.0})
        CHECK(BigInteger::truncated(value).to_double() == value);
}
