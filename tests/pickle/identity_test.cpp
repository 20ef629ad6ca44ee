// SPDX-License-Identifier: MIT
// tests/pickle/identity_test.cpp — shared_ptrs stay shared within a message.
#include <multiprocessing/pickle.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mp = multiprocessing;

namespace {

struct Ring {
    int value = 0;
    std::shared_ptr<Ring> next;
};

struct Outer {
    int first = 0;
};

/// Its dump writes a temporary object.
struct Fleeting {
    int value = 0;
};

}  // namespace

template <>
struct multiprocessing::pickle<Fleeting> {
    static void dump(Writer& writer, Fleeting const& f) {
        writer.write(std::make_shared<int>(f.value));
    }
    static Fleeting load(Reader& reader) { return {*reader.read<std::shared_ptr<int>>()}; }
};

TEST_CASE("shared_ptr: pointers to one object share the copy", "[pickle]") {
    auto const object = std::make_shared<std::string>("one");
    std::vector<std::shared_ptr<std::string>> const pointers{object, nullptr, object,
                                                             std::make_shared<std::string>("one")};
    auto const copy = mp::loads<std::vector<std::shared_ptr<std::string>>>(mp::dumps(pointers));
    REQUIRE(copy.size() == 4);
    CHECK(*copy[0] == "one");
    CHECK(copy[0] == copy[2]);
    CHECK(copy[1] == nullptr);
    CHECK(copy[3] != copy[0]);
    CHECK(copy[0].use_count() == 2);
}

TEST_CASE("shared_ptr: a thousand objects, each held twice", "[pickle]") {
    std::vector<std::shared_ptr<int>> pointers;
    for (int i = 0; i < 1000; ++i) pointers.push_back(std::make_shared<int>(i));
    for (int i = 0; i < 1000; ++i) pointers.push_back(pointers[static_cast<std::size_t>(999 - i)]);
    auto const copy = mp::loads<decltype(pointers)>(mp::dumps(pointers));
    std::set<int const*> different;
    for (std::size_t i = 0; i < copy.size(); ++i) {
        different.insert(copy[i].get());
        REQUIRE(*copy[i] == *pointers[i]);
    }
    CHECK(different.size() == 1000);
}

TEST_CASE("shared_ptr: an object and its first member are two objects", "[pickle]") {
    auto const outer = std::make_shared<Outer>(Outer{5});
    std::shared_ptr<int> const first(outer, &outer->first);
    auto const [a, b] = mp::loads<std::pair<std::shared_ptr<Outer>, std::shared_ptr<int>>>(
        mp::dumps(std::pair(outer, first)));
    CHECK(a->first == 5);
    CHECK(*b == 5);
}

TEST_CASE("shared_ptr: a const pointer shares with another", "[pickle]") {
    auto const object = std::make_shared<int>(3);
    std::pair<std::shared_ptr<int const>, std::shared_ptr<int>> const pair{object, object};
    auto const copy =
        mp::loads<std::pair<std::shared_ptr<int const>, std::shared_ptr<int>>>(mp::dumps(pair));
    CHECK(copy.first == copy.second);
}

TEST_CASE("shared_ptr: a cycle is refused on both sides", "[pickle]") {
    auto const ring = std::make_shared<Ring>();
    ring->next = std::make_shared<Ring>();
    ring->next->next = ring;
    CHECK_THROWS_AS(mp::dumps(ring), mp::PicklingError);
    ring->next->next = nullptr;
    CHECK(mp::loads<std::shared_ptr<Ring>>(mp::dumps(ring))->next->next == nullptr);

    mp::Writer writer;
    writer.write(mp::schema_hash<std::shared_ptr<Ring>>);
    for (int const byte : {1, /*value*/ 0, 0, 0, 0, /*itself*/ 2})
        writer.write(static_cast<char>(byte));
    CHECK_THROWS_AS(mp::loads<std::shared_ptr<Ring>>(writer.bytes()), mp::UnpicklingError);
}

TEST_CASE("shared_ptr: a number of another type's object is refused", "[pickle]") {
    using T = std::pair<std::shared_ptr<std::uint64_t>, std::shared_ptr<std::string>>;
    mp::Writer writer;
    writer.write(mp::schema_hash<T>);
    for (int const byte : {1, 9, 9, 9, 9, 9, 9, 9, 9, /*the same*/ 2})
        writer.write(static_cast<char>(byte));
    CHECK_THROWS_WITH(mp::loads<T>(writer.bytes()),
                      Catch::Matchers::ContainsSubstring("an object of another type"));
}

TEST_CASE("shared_ptr: a temporary's address is not taken for the next one's", "[pickle]") {
    std::vector<Fleeting> const values{{1}, {2}, {3}};
    auto const copy = mp::loads<std::vector<Fleeting>>(mp::dumps(values));
    REQUIRE(copy.size() == 3);
    CHECK(copy[1].value == 2);
    CHECK(copy[2].value == 3);
}
