// SPDX-License-Identifier: MIT
// tests/pickle/schema_test.cpp — the number that says what a message holds.
#include <multiprocessing/pickle/schema.hpp>

#include "pickle/samples.hpp"
#include "support/catch.hpp"

namespace mp = multiprocessing;

namespace {

struct A {
    int x;
    std::string s;
};
struct B {  // the same structure
    int first;
    std::string second;
};
struct C {
    std::string s;
    int x;
};
struct Wide {
    int x;
    alignas(16) int y;
};
struct Narrow {
    int x;
    int y;
};
struct NodeA {
    int value;
    std::vector<NodeA> next;
};
struct NodeB {
    int number;
    std::vector<NodeB> following;
};

template <class X, class Y>
constexpr bool same = mp::schema_hash<X> == mp::schema_hash<Y>;

static_assert(same<A, B> && !same<A, C> && !same<Wide, Narrow>);
static_assert(same<NodeA, NodeB> && !same<NodeA, std::vector<NodeA>>);
using AsLong = std::conditional_t<sizeof(long) == 8, long long, int>;  // by width, not by name
static_assert(same<int, int const> && same<long, AsLong> && !same<int, unsigned>);
static_assert(!same<int, float> && !same<char, signed char> && !same<float, double>);
static_assert(!same<std::vector<int>, std::list<int>> && same<std::deque<int>, std::list<int>>);
static_assert(!same<std::array<int, 2>, std::array<int, 3>>);
static_assert(!same<std::optional<int>, std::unique_ptr<int>>);
static_assert(!same<std::chrono::seconds, std::chrono::milliseconds>);
static_assert(!same<std::chrono::system_clock::time_point, std::chrono::steady_clock::time_point>);
static_assert(!same<std::variant<int, bool>, std::variant<bool, int>>);
static_assert(same<std::pair<int, bool>, std::tuple<int, bool>>);
static_assert(same<std::map<int, int>, std::unordered_map<int, int>>);
static_assert(!same<samples::Account, samples::Clock> && !same<samples::Account, A>);
static_assert(!same<std::bitset<3>, std::bitset<4>> && !same<samples::Degrees, float>);

}  // namespace

TEST_CASE("schema: known at compile time", "[pickle]") { SUCCEED(); }
