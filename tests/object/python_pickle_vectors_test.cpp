// SPDX-License-Identifier: MIT
// tests/object/python_pickle_vectors_test.cpp — golden pickles of CPython, read, refused, written.
//
// vectors/: pickles.tsv is what CPython 3.13 wrote for each value and protocol,
// pickles-variants.tsv what 3.8 to 3.15 wrote instead, pickles-crafted.tsv is made by hand;
// values.tsv and canon-low.tsv (where protocols below 4 lose something) say what a value is.
#include <multiprocessing/object.hpp>
#include <multiprocessing/object/python_pickle.hpp>

#include "object/canon.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mp = multiprocessing;

namespace {

std::vector<vectors::Row> pickles() {
    auto all = vectors::rows("pickles.tsv");
    for (auto& row : vectors::rows("pickles-large.tsv")) all.push_back(std::move(row));
    return all;
}

/// Reads, hands the value to `use`, and frees it even if it holds itself.
template <class Use>
void with_value(std::string const& bytes, Use use) {
    auto const value = mp::python_loads(bytes);
    use(value);
    mp::break_rings(value);
}

}  // namespace

TEST_CASE("python_pickle: every golden pickle is read as the value it was", "[object]") {
    std::map<std::string, std::string> canon;
    for (auto const& row : vectors::rows("values.tsv")) canon[row.at("name")] = row.at("canon");
    std::map<std::string, std::string> low;
    for (auto const& row : vectors::rows("canon-low.tsv"))
        low[row.at("name") + row.at("protocol")] = row.at("canon");
    std::size_t count = 0;
    for (auto const& row : pickles()) {
        if (row.at("group") == "refuse") continue;
        INFO(row.at("name") << ", protocol " << row.at("protocol"));
        with_value(vectors::unhex(row.at("hex")), [&](mp::Object const& value) {
            auto const is = vectors::canon(value);
            auto const lossy = low.find(row.at("name") + row.at("protocol"));
            if (lossy == low.end() || is != lossy->second) CHECK(is == canon.at(row.at("name")));
        });
        ++count;
    }
    CHECK(count >= 1600);
}

TEST_CASE("python_pickle: what other versions of Python write is read", "[object]") {
    std::size_t count = 0;
    for (auto const& row : vectors::rows("pickles-variants.tsv")) {
        INFO(row.at("name") << ", protocol " << row.at("protocol"));
        with_value(vectors::unhex(row.at("hex")), [&](mp::Object const&) { ++count; });
    }
    CHECK(count >= 80);
}

TEST_CASE("python_pickle: classes, functions and gadgets are refused", "[object]") {
    std::size_t count = 0;
    for (auto const& row : pickles()) {
        if (row.at("group") != "refuse") continue;
        INFO(row.at("name") << ", protocol " << row.at("protocol"));
        CHECK_THROWS_AS(mp::python_loads(vectors::unhex(row.at("hex"))), mp::UnpicklingError);
        ++count;
    }
    CHECK(count >= 90);
}

TEST_CASE("python_pickle: plain values are written byte for byte as CPython does", "[object]") {
    std::size_t count = 0;
    for (auto const& row : pickles()) {
        auto const protocol = std::stoi(row.at("protocol"));
        if (protocol < 4 || row.at("group") != "plain") continue;
        INFO(row.at("name") << ", protocol " << protocol);
        with_value(vectors::unhex(row.at("hex")), [&](mp::Object const& value) {
            auto const written = mp::python_dumps(value, {.protocol = protocol});
            CHECK(vectors::hex(written.view()) == row.at("hex"));
        });
        ++count;
    }
    CHECK(count >= 250);
}

TEST_CASE("python_pickle: exceptions and managers' objects are written as they came", "[object]") {
    // A dict's view arrives as a list; CPython repeats a name inside an ExceptionGroup.
    std::set<std::string> const otherwise{"exc_group", "fp_dict_keys", "fp_dict_values",
                                          "fp_dict_items"};
    std::size_t count = 0;
    for (auto const& row : pickles()) {
        auto const& group = row.at("group");
        if (row.at("protocol") != "4" || (group != "exc" && group != "proto")) continue;
        if (otherwise.contains(row.at("name"))) continue;
        INFO(row.at("name"));
        with_value(vectors::unhex(row.at("hex")), [&](mp::Object const& value) {
            CHECK(vectors::hex(mp::python_dumps(value).view()) == row.at("hex"));
        });
        ++count;
    }
    CHECK(count >= 85);
}

TEST_CASE("python_pickle: standard types are written so that they read the same", "[object]") {
    for (auto const& row : pickles()) {
        if (row.at("protocol") != "4" || row.at("group") != "std") continue;
        INFO(row.at("name"));
        with_value(vectors::unhex(row.at("hex")), [&](mp::Object const& value) {
            auto const again = mp::python_loads(mp::python_dumps(value));
            CHECK(vectors::canon(again) == vectors::canon(value));
            CHECK(mp::loads<mp::Object>(mp::dumps(value)) == value);
        });
    }
}

TEST_CASE("python_pickle: unusual, forbidden and malformed pickles", "[object]") {
    std::size_t count = 0;
    for (auto const& row : vectors::rows("pickles-crafted.tsv")) {
        INFO(row.at("name"));
        auto const bytes = vectors::unhex(row.at("hex"));
        auto const& want = row.at("want");
        ++count;
        if (want == "refuse" || want == "malformed") {
            CHECK_THROWS_AS(mp::python_loads(bytes), mp::UnpicklingError);
        } else if (want.starts_with("accept:")) {
            auto const canon = want.substr(7);
            with_value(bytes, [&](mp::Object const& value) {
                if (canon != "deep" && canon != "shared") CHECK(vectors::canon(value) == canon);
            });
        } else {  // either way, but no other exception
            try {
                mp::break_rings(mp::python_loads(bytes));
            } catch (mp::UnpicklingError const&) {
            }
        }
    }
    CHECK(count >= 170);
}
