// SPDX-License-Identifier: MIT
// tests/pickle/pickle_hostile_test.cpp — torn, damaged and made-up bytes are an error, never worse.
#include <multiprocessing/pickle.hpp>

#include "pickle/samples.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mp = multiprocessing;

namespace {

/// Whether the bytes were read as a T. Only UnpicklingError may say no.
template <class T>
bool reads(std::span<std::byte const> bytes, mp::Origin origin = mp::Origin::outside) {
    auto const copy = samples::exact_copy(bytes);
    try {
        T const value = mp::loads<T>({copy.get(), bytes.size()}, origin);
        static_cast<void>(mp::dumps(value));  // touches all of it
        return true;
    } catch (mp::UnpicklingError const&) {
        return false;
    }
}

}  // namespace

TEST_CASE("pickle: a message cut at any byte is an error", "[pickle]") {
    samples::for_each([&](auto const& value) {
        using T = std::remove_cvref_t<decltype(value)>;
        INFO(mp::detail::type_name<T>());
        auto const pickled = mp::dumps(value);
        std::span<std::byte const> const bytes = pickled;
        std::size_t accepted = 0;
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            accepted += reads<T>(bytes.first(length));
        }
        CHECK(accepted == 0);
    });
}

TEST_CASE("pickle: a damaged byte is an error or another value", "[pickle]") {
    std::size_t accepted = 0;
    std::size_t refused = 0;
    samples::for_each([&](auto const& value) {
        using T = std::remove_cvref_t<decltype(value)>;
        auto const pickled = mp::dumps(value);
        std::vector<std::byte> bytes(pickled.begin(), pickled.end());
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            std::byte const good = bytes[at];
            for (unsigned const bad : {0u, 1u, 2u, 0x7fu, 0x80u, 0xffu}) {
                bytes[at] = static_cast<std::byte>(bad);
                bool const ok = reads<T>(bytes);
                ok ? ++accepted : ++refused;
                if (at < 8 && bytes[at] != good) {  // the schema
                    CHECK_FALSE(ok);
                }
            }
            bytes[at] = good;
        }
    });
    CHECK(accepted > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("pickle: made-up bytes behind the right schema are no danger", "[pickle]") {
    std::uint64_t state = 1;
    auto const random = [&] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<unsigned>(state >> 40);
    };
    samples::for_each([&](auto const& value) {
        using T = std::remove_cvref_t<decltype(value)>;
        for (int round = 0; round < 50; ++round) {
            mp::Writer writer;
            writer.write(mp::schema_hash<T>);
            unsigned const mask = round % 2 == 0 ? 0xff : 0x03;  // small numbers get further
            for (unsigned n = random() % 64; n > 0; --n) {
                writer.write(static_cast<unsigned char>(random() & mask));
            }
            reads<T>(writer.bytes(), round % 3 == 0 ? mp::Origin::tree : mp::Origin::outside);
        }
    });
}

namespace {

template <class T>
bool reads_body(std::initializer_list<unsigned> body) {
    mp::Writer writer;
    writer.write(mp::schema_hash<T>);
    for (unsigned const byte : body) {
        writer.write(static_cast<unsigned char>(byte));
    }
    return reads<T>(writer.bytes());
}

struct Large {
    std::array<std::optional<std::array<char, 100'000>>, 10> parts;
};

}  // namespace

TEST_CASE("pickle: a length is compared with what remains before memory is taken", "[pickle]") {
    CHECK_FALSE(
        reads_body<std::vector<int>>({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}));
    CHECK_FALSE(reads_body<std::vector<std::string>>({0xff, 0xff, 0xff, 0xff, 0x0f, 0}));
    CHECK_FALSE(reads_body<std::string>({0x80, 0x80, 0x80, 0x80, 0x10}));
    CHECK_FALSE(
        reads_body<std::vector<bool>>({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}));
    CHECK_FALSE(reads_body<std::vector<samples::Empty>>({0xff, 0xff, 0x7f, 0, 0}));
    CHECK_FALSE(reads_body<std::vector<std::tuple<>>>({0xff, 0xff, 0x7f, 0, 0}));
    CHECK_FALSE(reads_body<std::map<std::string, int>>({0xff, 0xff, 0x7f, 0, 0}));
    CHECK_FALSE(reads_body<std::vector<Large>>({0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_CASE("pickle: a length of more than 64 bits is refused", "[pickle]") {
    CHECK_FALSE(reads_body<std::string>({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}));
    CHECK_FALSE(reads_body<std::string>(
        {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}));
}

TEST_CASE("pickle: what a type cannot be is refused", "[pickle]") {
    CHECK(reads_body<bool>({1}));
    CHECK_FALSE(reads_body<bool>({2}));
    CHECK_FALSE(reads_body<samples::Flag>({2}));
    CHECK_FALSE((reads_body<std::array<bool, 2>>({1, 3})));
    CHECK_FALSE(reads_body<std::vector<samples::Flag>>({2, 1, 0xff}));
    CHECK_FALSE(reads_body<std::optional<int>>({2, 0, 0, 0, 0}));
    CHECK_FALSE((reads_body<std::variant<bool, bool>>({2, 0})));
    CHECK_FALSE(reads_body<std::bitset<3>>({8}));
    CHECK_FALSE(reads_body<std::vector<bool>>({3, 8}));
    CHECK_FALSE(reads_body<std::set<char>>({2, 'a', 'a'}));
    CHECK(reads_body<std::multiset<char>>({2, 'a', 'a'}));
    CHECK_FALSE((reads_body<std::map<char, char>>({2, 'a', 'x', 'a', 'y'})));
    CHECK_FALSE(reads_body<std::shared_ptr<char>>({2}));
    CHECK_FALSE(reads_body<std::unique_ptr<char>>({7, 'x'}));
}

TEST_CASE("pickle: nesting without end is refused on both sides", "[pickle]") {
    auto const fits = samples::deep_tree(900);
    CHECK((mp::loads<samples::Tree>(mp::dumps(fits)) == fits));
    CHECK_THROWS_AS(mp::dumps(samples::deep_tree(1100)), mp::PicklingError);

    mp::Writer writer;
    writer.write(mp::schema_hash<samples::Chain>);
    for (int i = 0; i < 100'000; ++i) {
        writer.write(i);
        writer.write(true);
    }
    CHECK_THROWS_WITH(mp::loads<samples::Chain>(writer.bytes()),
                      Catch::Matchers::ContainsSubstring("nested too deeply"));
}
