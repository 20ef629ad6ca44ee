// SPDX-License-Identifier: MIT
// tests/pickle/aggregate_test.cpp — aggregates of every shape.
#include <multiprocessing/pickle.hpp>

#include "support/catch.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace mp = multiprocessing;

namespace {

class Handle {  // no default constructor
public:
    explicit Handle(int value) : value_(value) {}
    int value() const { return value_; }

private:
    int value_;
};

struct Job {
    int id;
    Handle handle;
    std::unique_ptr<int> extra;
    std::optional<Handle> maybe;
};

struct Constants {
    int const a;
    std::string const b;
};

struct Bits {  // has a pickle of its own
    unsigned a : 3;
    bool b : 1;
    unsigned short c : 9;
    int d;
};

struct Arrays {
    std::uint16_t number;
    std::string text;
    std::array<std::vector<int>, 2> lists;
    std::string grid[2][2];
};

struct Padded {
    char a;
    double b;
    char c;
};

struct Deep {
    Padded inner[2];
    char tail;
};

struct Forty {
    int a[2];
    std::string s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18,
        s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31, s32, s33, s34, s35, s36,
        s37, s38, s39;
};

/// Default constructible, and made from whatever becomes a number.
class Number {
public:
    Number() = default;
    template <class T>
        requires std::convertible_to<T, double>
    Number(T value) : value_(value) {}
    static auto pickle_members(auto& self) { return std::tie(self.value_); }
    bool operator==(Number const&) const = default;

private:
    double value_ = 0;
};

struct Uncounted {  // by Boost.PFR, for one reason or another
    std::array<std::string, 3> names;
    std::optional<std::unique_ptr<int>> maybe;
    std::vector<std::unique_ptr<int>> pointers;
    Number number;
    int row[4];
};

struct ConstantsAndMore {
    std::optional<std::string> const text;
    std::unique_ptr<int> pointer;
    Handle const handle;
};

template <class T>
T round_trip(T const& value) {
    return mp::loads<T>(mp::dumps(value));
}

}  // namespace

template <>
struct multiprocessing::pickle<Handle> {
    static void dump(Writer& writer, Handle const& handle) { writer.write(handle.value()); }
    static Handle load(Reader& reader) { return Handle(reader.read<int>()); }
};

template <>
struct multiprocessing::pickle<Bits> : multiprocessing::pickle_bytewise<Bits> {};

TEST_CASE("aggregate: members without default constructor, and move-only ones", "[pickle]") {
    Job const job{1, Handle(2), std::make_unique<int>(3), Handle(4)};
    auto const copy = round_trip(job);
    CHECK(copy.id == 1);
    CHECK(copy.handle.value() == 2);
    CHECK(*copy.extra == 3);
    CHECK(copy.maybe->value() == 4);
}

TEST_CASE("aggregate: const members", "[pickle]") {
    auto const copy = round_trip(Constants{1, "b"});
    CHECK(copy.a == 1);
    CHECK(copy.b == "b");
    auto const more = round_trip(ConstantsAndMore{"text", std::make_unique<int>(2), Handle(3)});
    CHECK(more.text == "text");
    CHECK(*more.pointer == 2);
    CHECK(more.handle.value() == 3);
}

TEST_CASE("aggregate: members that are hard to count", "[pickle]") {
    Uncounted value{{"a", "b", "c"}, std::make_unique<int>(1), {}, 2.5, {1, 2, 3, 4}};
    value.pointers.push_back(std::make_unique<int>(5));
    auto const copy = round_trip(value);
    CHECK(copy.names == value.names);
    CHECK(**copy.maybe == 1);
    CHECK(*copy.pointers.at(0) == 5);
    CHECK(copy.number == 2.5);
    CHECK(copy.row[3] == 4);
}

TEST_CASE("aggregate: bit-fields, by a pickle of their own", "[pickle]") {
    auto const copy = round_trip(Bits{5, true, 300, -1});
    CHECK(copy.a == 5);
    CHECK(copy.b);
    CHECK(copy.c == 300);
    CHECK(copy.d == -1);
}

TEST_CASE("aggregate: arrays of everything", "[pickle]") {
    Arrays const value{7, "t", {{{1}, {2, 3}}}, {{"a", "b"}, {"c", "d"}}};
    auto const copy = round_trip(value);
    CHECK(copy.lists[1] == std::vector<int>{2, 3});
    CHECK(copy.grid[1][0] == "c");
}

TEST_CASE("aggregate: forty members", "[pickle]") {
    Forty value{};
    value.a[1] = 5;
    value.s39 = "last";
    auto const copy = round_trip(value);
    CHECK(copy.a[1] == 5);
    CHECK(copy.s39 == "last");
}

TEST_CASE("aggregate: padding does not leave the process tree", "[pickle]") {
    alignas(Deep) unsigned char first[sizeof(Deep)];
    alignas(Deep) unsigned char second[sizeof(Deep)];
    std::memset(first, 0xaa, sizeof first);
    std::memset(second, 0x55, sizeof second);
    auto const fill = [](unsigned char* memory) {
        auto* deep = new (memory) Deep;
        for (auto& inner : deep->inner) {
            inner.a = 'a';
            inner.b = 0.5;
            inner.c = 'c';
        }
        deep->tail = 't';
        return deep;
    };
    auto const* const a = fill(first);
    auto const* const b = fill(second);
    auto const pickled = mp::dumps(*a);
    CHECK(pickled == mp::dumps(*b));
    CHECK(pickled.size() == 8 + sizeof(Deep));
    int zeros = 0;
    for (std::byte const byte : pickled) zeros += byte == std::byte{0};
    CHECK(zeros >= 7 + 7 + 7 + 7 + 7);
    CHECK(mp::dumps(std::vector<Deep>{*a, *b}) == mp::dumps(std::vector<Deep>{*b, *a}));
    CHECK(round_trip(*a).inner[1].c == 'c');
}
