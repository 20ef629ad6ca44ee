// SPDX-License-Identifier: MIT
// tests/base/hash_test.cpp — the hash that all processes agree on.
#include <multiprocessing/detail/hash.hpp>

#include "support/catch.hpp"

#include <cstdint>

using multiprocessing::detail::fnv1a;

// The published test vectors of FNV-1a, 64 bits.
static_assert(fnv1a("") == 0xcbf29ce484222325u);
static_assert(fnv1a("a") == 0xaf63dc4c8601ec8cu);
static_assert(fnv1a("foobar") == 0x85944171f73967e8u);

TEST_CASE("fnv1a: goes on where it stopped", "[base]") {
    CHECK(fnv1a("bar", fnv1a("foo")) == fnv1a("foobar"));
    CHECK(fnv1a(1u, fnv1a("x")) != fnv1a(2u, fnv1a("x")));
    CHECK(fnv1a(std::uint64_t{'a'}, fnv1a("")) != fnv1a("a"));
}
