// SPDX-License-Identifier: MIT
// tests/pickle/pickle_test.cpp — what is written is read back, and nothing else is.
#include <multiprocessing/pickle.hpp>

#include "pickle/samples.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

namespace mp = multiprocessing;

namespace {

template <class T>
std::string unpickling_error(std::span<std::byte const> bytes,
                             mp::Origin origin = mp::Origin::outside) {
    try {
        static_cast<void>(mp::loads<T>(bytes, origin));
    } catch (mp::UnpicklingError const& error) {
        return error.what();
    }
    return "no error";
}

struct Unrelated {
    int a;
    int b;
    int c;
};

}  // namespace

TEST_CASE("pickle: every sample comes back equal", "[pickle]") {
    int count = 0;
    samples::for_each([&](auto const& value) {
        using T = std::remove_cvref_t<decltype(value)>;
        INFO(mp::detail::type_name<T>());
        auto const pickled = mp::dumps(value);
        CHECK((mp::loads<T>(pickled) == value));
        CHECK((mp::loads<T>(pickled, mp::Origin::tree) == value));
        ++count;
    });
    CHECK(count > 100);
}

TEST_CASE("pickle: a value is the same bytes each time", "[pickle]") {
    samples::for_each([&](auto const& value) {
        auto const copy = mp::loads<std::remove_cvref_t<decltype(value)>>(mp::dumps(value));
        using T = std::remove_cvref_t<decltype(value)>;
        if constexpr (!requires { typename T::hasher; }) {  // those promise no order
            INFO(mp::detail::type_name<T>());
            CHECK((mp::dumps(copy) == mp::dumps(value)));
        }
    });
}

TEST_CASE("pickle: another type is refused by name", "[pickle]") {
    auto const pickled = mp::dumps(std::vector<int>{1, 2, 3});
    CHECK_THAT(unpickling_error<std::vector<unsigned>>(pickled),
               Catch::Matchers::ContainsSubstring("not a pickled std::vector<unsigned"));
    CHECK(unpickling_error<std::vector<float>>(pickled) != "no error");
    CHECK(unpickling_error<std::string>(pickled) != "no error");
    CHECK(unpickling_error<int>(pickled) != "no error");
    CHECK(unpickling_error<Unrelated>(pickled) != "no error");
}

TEST_CASE("pickle: bytes that are left over are an error", "[pickle]") {
    mp::Writer writer;
    mp::dump_into(writer, 5);
    writer.write('x');
    CHECK_THAT(unpickling_error<int>(writer.bytes()),
               Catch::Matchers::ContainsSubstring("1 bytes are left over"));
}

TEST_CASE("pickle: several values follow each other in one message", "[pickle]") {
    mp::Writer writer;
    mp::dump_into(writer, 5);
    mp::dump_into(writer, std::string("six"));
    mp::dump_into(writer, std::vector<int>(500, 7));
    mp::Reader reader(writer.bytes());
    CHECK(mp::load_from<int>(reader) == 5);
    CHECK(mp::load_from<std::string>(reader) == "six");
    CHECK(mp::load_from<std::vector<int>>(reader) == std::vector<int>(500, 7));
    CHECK_NOTHROW(reader.expect_end());
    CHECK_THROWS_AS(mp::load_from<int>(reader), mp::UnpicklingError);
}

TEST_CASE("pickle: a message is read wherever it lies", "[pickle]") {
    std::vector<double> const numbers(1000, 0.25);
    auto const pickled = mp::dumps(numbers);
    for (std::size_t shift = 0; shift < 16; ++shift) {
        std::vector<std::byte> moved(shift + pickled.size());
        std::copy(pickled.begin(), pickled.end(),
                  moved.begin() + static_cast<std::ptrdiff_t>(shift));
        CHECK(mp::loads<std::vector<double>>(std::span(moved).subspan(shift)) == numbers);
    }
}

TEST_CASE("pickle: move-only values come back", "[pickle]") {
    std::vector<std::unique_ptr<int>> values;
    values.push_back(std::make_unique<int>(1));
    values.push_back(nullptr);
    auto const copy = mp::loads<std::vector<std::unique_ptr<int>>>(mp::dumps(values));
    REQUIRE(copy.size() == 2);
    CHECK(*copy[0] == 1);
    CHECK(copy[1] == nullptr);
    auto const tuple = mp::loads<std::tuple<std::unique_ptr<int>, int>>(
        mp::dumps(std::tuple(std::make_unique<int>(3), 4)));
    CHECK(*std::get<0>(tuple) == 3);
}

TEST_CASE("pickle: the format is compact", "[pickle]") {
    CHECK(mp::dumps(std::string("abc")).size() == 8 + 1 + 3);
    CHECK(mp::dumps(std::vector<int>(10)).size() == 8 + 1 + 40);
    CHECK(mp::dumps(samples::Record{1, 2, "abc"}).size() == 8 + 4 + 8 + 1 + 3);
}
