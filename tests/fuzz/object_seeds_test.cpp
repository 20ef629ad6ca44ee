// SPDX-License-Identifier: MIT
// tests/fuzz/object_seeds_test.cpp — the golden pickles, whole, cut and changed, through the fuzzer.
#include "fuzz/object_fuzz.hpp"
#include "object/canon.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

/// As Python's pickle, and as an Object of the tree where that is asked for.
void read(std::string const& bytes, char first = 1) {
    auto const input = first + bytes;
    fuzz::read_object(std::as_bytes(std::span(input)));
}

}  // namespace

TEST_CASE("fuzz: golden pickles are read without a finding, whole, cut and changed", "[fuzz]") {
    std::size_t count = 0;
    for (char const* const name : {"pickles.tsv", "pickles-crafted.tsv"}) {
        for (auto const& row : vectors::rows(name)) {
            INFO(row.at("name"));
            auto const bytes = vectors::unhex(row.at("hex"));
            CHECK_NOTHROW(read(bytes));
            if (bytes.size() > 60 || ++count % 4 != 0) continue;
            for (std::size_t at = 0; at < bytes.size(); ++at) {
                auto changed = bytes;
                changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
                CHECK_NOTHROW(read(changed));
                CHECK_NOTHROW(read(bytes.substr(0, at)));
                CHECK_NOTHROW(read(changed, 0));
            }
        }
    }
    CHECK(count > 400);
}
