// SPDX-License-Identifier: MIT
// tests/base/type_name_test.cpp — the names of types.
#include <multiprocessing/detail/type_name.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace multiprocessing_test {

struct Point {};

template <class T>
struct Box {};

}  // namespace multiprocessing_test

namespace mp = multiprocessing;
using mp::detail::type_name;

static_assert(type_name<int>() == "int");
static_assert(type_name<multiprocessing_test::Point>() == "multiprocessing_test::Point");
static_assert(type_name<multiprocessing_test::Box<int>>() == "multiprocessing_test::Box<int>");
static_assert(type_name<int>() != type_name<unsigned>());

TEST_CASE("type_name: is the whole type and nothing else", "[base]") {
    std::string const text(type_name<std::vector<std::string_view>>());
    CHECK(text.starts_with("std::"));
    CHECK(text.ends_with('>'));
    CHECK(text.find("with T") == text.npos);
}
