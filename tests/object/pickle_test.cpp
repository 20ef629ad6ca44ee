// SPDX-License-Identifier: MIT
// tests/object/pickle_test.cpp — Objects travel within the process tree.
#include <multiprocessing/object.hpp>

#include "support/catch.hpp"

#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace mp = multiprocessing;

namespace {

mp::Object copy(mp::Object const& object) { return mp::loads<mp::Object>(mp::dumps(object)); }

mp::Object sample() {
    mp::Instance const error(mp::Global("builtins", "ValueError"), {"x", 1});
    error.state(mp::Dict{{"code", 7}});
    error.items().push_back("appended");
    return mp::List{mp::None,
                    true,
                    -1,
                    std::numeric_limits<std::int64_t>::min(),
                    ~0ull,
                    1.5,
                    std::complex(1.0, -0.5),
                    "text",
                    mp::Bytes("bytes"),
                    mp::ByteArray(mp::Bytes("array")),
                    mp::Tuple{1, mp::Tuple{}},
                    mp::Dict{{"k", mp::List{1}}, {mp::Tuple{1}, mp::None}},
                    mp::Set{1, "a"},
                    mp::FrozenSet{2},
                    mp::Global("queue", "Empty"),
                    error};
}

}  // namespace

TEST_CASE("pickle: every kind arrives", "[object]") {
    auto const object = sample();
    auto const arrived = copy(object);
    CHECK(arrived == object);
    CHECK(arrived.repr() == object.repr());
    for (std::int64_t value : {std::int64_t{0}, std::int64_t{63}, std::int64_t{-64},
                               std::numeric_limits<std::int64_t>::max()})
        CHECK(copy(value) == value);
}

TEST_CASE("pickle: what was one object is one again", "[object]") {
    mp::List const inner{1};
    mp::Object const key = "a key that many dicts have";
    auto const arrived = copy(mp::List{inner, inner, mp::Dict{{key, inner}}, key});
    CHECK(arrived.at(0).is_same(arrived.at(1)));
    CHECK(arrived[2][key].get().is_same(arrived.at(0)));
    CHECK(arrived.at(2).to<mp::Dict>().keys()[0].is_same(arrived.at(3)));
    CHECK_FALSE(arrived.at(0).is_same(inner));
    auto const two = mp::loads<std::vector<mp::Object>>(
        mp::dumps(std::vector<mp::Object>{inner, inner}));
    CHECK(two[0].is_same(two[1]));
}

TEST_CASE("pickle: rings arrive as rings", "[object]") {
    mp::List const list;
    mp::Tuple const tuple{list, 1};
    list.append(tuple);
    mp::Dict const dict{{"self", mp::None}, {"t", tuple}};
    dict["self"] = dict;
    auto const arrived = copy(dict).to<mp::Dict>();
    CHECK(arrived["self"].get().is_same(arrived));
    CHECK(arrived["t"][0][0].get().is_same(arrived.at("t")));
    CHECK(arrived.repr() == "{'self': {...}, 't': ([(...)], 1)}");
    arrived["t"][0].to<mp::List>().clear();
    arrived.clear();
    list.clear();
    dict.clear();
}

TEST_CASE("pickle: as a part of other types", "[object]") {
    std::map<std::string, mp::Object> const map{{"a", mp::List{1}}, {"b", mp::None}};
    CHECK(mp::loads<std::map<std::string, mp::Object>>(mp::dumps(map)) == map);
    STATIC_REQUIRE(mp::Picklable<mp::Object>);
}

TEST_CASE("pickle: depth has a limit", "[object]") {
    mp::Object deep = 1;
    for (int i = 0; i < 990; ++i) deep = mp::List{deep};
    CHECK(copy(deep) == deep);
    for (int i = 0; i < 20; ++i) deep = mp::List{deep};
    CHECK_THROWS_AS(mp::dumps(deep), mp::PicklingError);
}

TEST_CASE("pickle: cut or changed bytes are refused or are some object", "[object]") {
    auto const pickled = mp::dumps(sample());
    std::vector<std::byte> const bytes(pickled.begin(), pickled.end());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_THROWS_AS(mp::loads<mp::Object>(std::span(bytes).first(size)), mp::UnpicklingError);
    std::size_t read = 0;
    for (std::size_t at = 8; at < bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            auto changed = bytes;
            changed[at] ^= static_cast<std::byte>(1 << bit);
            try {
                auto const object = mp::loads<mp::Object>(changed);
                static_cast<void>(object.repr());
                ++read;
            } catch (mp::UnpicklingError const&) {
            }
        }
    }
    CHECK(read > 100);
}

TEST_CASE("pickle: hostile bytes take no memory that they do not warrant", "[object]") {
    mp::Writer writer;
    writer.write(mp::schema_hash<mp::Object>);
    // Each of these lists says that all the rest of the message is its own.
    for (int i = 0; i < 900; ++i) {
        *writer.claim(1) = static_cast<std::byte>(mp::ObjectKind::tuple);
        writer.write_size(1'000'000);
    }
    std::vector<std::byte> const rest(2'000'000);
    writer.raw(rest);
    CHECK_THROWS_WITH(mp::loads<mp::Object>(writer.bytes()),
                      Catch::Matchers::ContainsSubstring("containers promise more than there is"));
}

TEST_CASE("pickle: what cannot be a key is refused", "[object]") {
    auto const refused = [](std::initializer_list<int> body) {
        mp::Writer writer;
        writer.write(mp::schema_hash<mp::Object>);
        for (int const byte : body) *writer.claim(1) = static_cast<std::byte>(byte);
        CHECK_THROWS_AS(mp::loads<mp::Object>(writer.bytes()), mp::UnpicklingError);
    };
    auto const code = [](mp::ObjectKind kind) { return static_cast<int>(kind); };
    using Kind = mp::ObjectKind;
    refused({code(Kind::set), 1, code(Kind::list), 0});
    refused({code(Kind::dict), 1, code(Kind::dict), 0, 0});
    refused({code(Kind::global), 2, 0, 0});
    refused({code(Kind::global), 1, 0, 0});
    refused({code(Kind::instance), 2, 0, 0, 0, 0});
    refused({0x40, 0});           // names an object that did not come before
    refused({0x3f});              // no such kind
    // A frozenset that is its own item.
    refused({0x80 | code(Kind::tuple), 1, code(Kind::frozen_set), 1, 0x40});
}
