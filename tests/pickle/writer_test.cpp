// SPDX-License-Identifier: MIT
// tests/pickle/writer_test.cpp — a buffer that grows, and who may put handles into it.
#include <multiprocessing/pickle/writer.hpp>

#include <multiprocessing/heap.hpp>
#include <multiprocessing/pickle.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace mp = multiprocessing;

namespace {

/// Carries handles within one process.
class Courier : public mp::HandleSink, public mp::HandleSource {
public:
    std::uint32_t add(mp::heap::Shared const& object) override {
        carried_.push_back(object);
        return static_cast<std::uint32_t>(carried_.size() - 1);
    }
    std::uint32_t count() const override { return static_cast<std::uint32_t>(carried_.size()); }
    void get(std::uint32_t place, mp::heap::Shared& object) override { object = carried_[place]; }

private:
    std::vector<mp::heap::Shared> carried_;
};

/// A handle as those of lower layers are: its pickle knows pickle/fwd.hpp only.
struct Token {
    mp::heap::Shared object;
    int extra = 0;
};

}  // namespace

template <>
struct multiprocessing::pickle<Token> {
    template <class W>
    static void dump(W& writer, Token const& token) {
        writer.handle(token.object);
        writer.write(token.extra);
    }
    template <class R>
    static Token load(R& reader) {
        auto object = reader.handle();
        return {std::move(object), reader.template read<int>()};
    }
};

TEST_CASE("Writer: a handle travels in a value", "[pickle]") {
    auto const object = mp::heap::Shared::make(mp::heap::Kind::plain, 0, 16, [](std::byte*) {});
    Courier courier;
    mp::Writer writer(&courier);
    mp::dump_into(writer, std::vector<Token>{{object, 1}, {object, 2}});
    mp::Reader reader(writer.bytes(), mp::Origin::tree, &courier);
    auto const copy = mp::load_from<std::vector<Token>>(reader);
    REQUIRE(copy.size() == 2);
    CHECK(copy[1].extra == 2);
    CHECK((copy[0].object == object && copy[1].object == object));
    CHECK_THROWS_AS(mp::dumps(Token{object, 1}), mp::PicklingError);
    CHECK_THROWS_AS(mp::loads<std::vector<Token>>(writer.bytes()), mp::UnpicklingError);
}

TEST_CASE("Writer: grows and keeps what it has", "[pickle]") {
    mp::Writer writer;
    for (int i = 0; i < 100'000; ++i) writer.write(i);
    mp::Reader reader(writer.bytes());
    for (int i = 0; i < 100'000; ++i) REQUIRE(reader.read<int>() == i);
    writer.clear();
    CHECK(writer.size() == 0);
}

TEST_CASE("Writer: writes into the caller's room while it lasts", "[pickle]") {
    std::array<std::byte, 16> room{};
    mp::Writer writer(room);
    writer.write(std::array<char, 16>{'x'});
    CHECK(writer.fits_room());
    CHECK(writer.bytes().data() == room.data());
    writer.write('y');
    CHECK_FALSE(writer.fits_room());
    CHECK(writer.size() == 17);
    CHECK(writer.bytes()[0] == std::byte{'x'});
    auto const taken = writer.take();
    CHECK(taken.size() == 17);
    CHECK(writer.size() == 0);
    writer.write(1);
    CHECK(writer.size() == 4);
}

TEST_CASE("Writer: sizes take as many bytes as they need", "[pickle]") {
    std::array<std::uint64_t, 6> const sizes{0, 127, 128, 16383, 16384, ~std::uint64_t{0}};
    mp::Writer writer;
    for (std::uint64_t const size : sizes) writer.write_size(size);
    CHECK(writer.size() == 1 + 1 + 2 + 2 + 3 + 10);
    mp::Reader reader(writer.bytes());
    for (std::uint64_t const size : sizes) CHECK(reader.read_size() == size);
}

TEST_CASE("Writer: a handle needs a sink", "[pickle]") {
    mp::Writer writer;
    CHECK_FALSE(writer.in_tree());
    CHECK_THROWS_AS(writer.handle(mp::heap::Shared()), mp::PicklingError);
    Courier courier;
    mp::Writer inside(&courier);
    CHECK(inside.in_tree());
    inside.handle(mp::heap::Shared());
    CHECK(courier.count() == 1);
}

TEST_CASE("Reader: a handle comes only from the tree, and only one that is carried", "[pickle]") {
    Courier courier;
    mp::Writer writer(&courier);
    writer.handle(mp::heap::Shared());
    writer.write_size(1);  // a place that is not there

    mp::Reader reader(writer.bytes(), mp::Origin::tree, &courier);
    CHECK_NOTHROW(static_cast<void>(reader.handle()));
    CHECK_THROWS_AS(reader.handle(), mp::UnpicklingError);

    mp::Reader outside(writer.bytes(), mp::Origin::outside, &courier);
    CHECK_THROWS_WITH(outside.handle(), Catch::Matchers::ContainsSubstring("from outside"));
    CHECK_THROWS_WITH(outside.require_tree("a function reference"),
                      Catch::Matchers::ContainsSubstring("a function reference"));
    mp::Reader bare(writer.bytes(), mp::Origin::tree);
    CHECK_THROWS_AS(bare.handle(), mp::UnpicklingError);
}

TEST_CASE("Reader: errors say where and what", "[pickle]") {
    std::array<std::byte, 6> const bytes{};
    mp::Reader reader(bytes);
    static_cast<void>(reader.read<int>());
    CHECK(reader.offset() == 4);
    CHECK(reader.remaining() == 2);
    CHECK_THROWS_WITH(reader.read<int>(),
                      "not a valid pickle: at byte 4 of 6: 4 more bytes were expected");
}
