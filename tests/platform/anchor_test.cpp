// SPDX-License-Identifier: MIT
// tests/platform/anchor_test.cpp — the block that all modules of a process share.
#include <multiprocessing/platform/anchor.hpp>

#include <multiprocessing/errors.hpp>

#include "support/catch.hpp"
#include "support/host.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using platform::named_anchor;

namespace {

std::atomic<int> constructions{0};

void count(void*) { ++constructions; }

/// The loaded plugin; never unloaded.
struct Plugin {
    void* (*anchor)(char const*, std::size_t, std::uint64_t) = nullptr;
    int (*constructions)() = nullptr;

    Plugin() {
        static test::Library const library(MULTIPROCESSING_TEST_ANCHOR_PLUGIN);
        REQUIRE(library);
        anchor = library.symbol<decltype(anchor)>("plugin_anchor");
        constructions = library.symbol<decltype(constructions)>("plugin_constructions");
        REQUIRE(anchor != nullptr);
        REQUIRE(constructions != nullptr);
    }
};

}  // namespace

TEST_CASE("named_anchor: is zero, aligned, constructed once and always the same", "[platform]") {
    constructions = 0;
    auto* const body = static_cast<std::byte*>(named_anchor("anchor-test-same", 100'000, 1, count));
    CHECK(reinterpret_cast<std::uintptr_t>(body) % 64 == 0);
    for (std::size_t i = 0; i < 100'000; i += 99) {
        REQUIRE(body[i] == std::byte{0});
    }
    body[99'999] = std::byte{1};
    CHECK(named_anchor("anchor-test-same", 100'000, 1, count) == body);
    CHECK(constructions == 1);
    CHECK(named_anchor("anchor-test-sam", 8, 1, count) != body);
}

TEST_CASE("named_anchor: a plugin with hidden visibility finds the program's, and the reverse",
          "[platform]") {
    Plugin const plugin;
    constructions = 0;
    int const before = plugin.constructions();
    void* const mine = named_anchor("anchor-test-program-first", 64, 2, count);
    CHECK(plugin.anchor("anchor-test-program-first", 64, 2) == mine);
    CHECK(plugin.constructions() == before);
    CHECK(constructions == 1);

    void* const its = plugin.anchor("anchor-test-plugin-first", 64, 2);
    CHECK(named_anchor("anchor-test-plugin-first", 64, 2, count) == its);
    CHECK(plugin.constructions() == before + 1);
    CHECK(constructions == 1);
}

TEST_CASE("named_anchor: threads of two modules that race for it get one", "[platform][threads]") {
    Plugin const plugin;
    for (int round = 0; round < 20; ++round) {
        std::string const name = "anchor-test-race-" + std::to_string(round);
        constructions = 0;
        int const before = plugin.constructions();
        std::array<void*, 6> found{};
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < found.size(); ++i) {
            threads.emplace_back([&, i] {
                found[i] = i % 2 == 0 ? named_anchor(name.c_str(), 64, 3, count)
                                      : plugin.anchor(name.c_str(), 64, 3);
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (void* const body : found) {
            CHECK(body == found[0]);
        }
        CHECK(constructions + plugin.constructions() - before == 1);
    }
}

TEST_CASE("named_anchor: another layout is refused and both versions are named", "[platform]") {
    named_anchor("anchor-test-layout", 64, 4, count);
    try {
        named_anchor("anchor-test-layout", 64, 0xabc, count);
        FAIL("it was accepted");
    } catch (mp::RuntimeError const& error) {
        CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring("layout 4"));
        CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring("layout abc"));
    }
    CHECK_THROWS_AS(named_anchor("anchor-test-layout", 65, 4, count), mp::RuntimeError);
}

TEST_CASE("named_anchor: a construction that throws is tried again", "[platform]") {
    auto const fail = [](void* body) {
        *static_cast<int*>(body) = 5;
        throw std::runtime_error("no");
    };
    CHECK_THROWS_AS(named_anchor("anchor-test-throw", 64, 5, fail), std::runtime_error);
    auto const* const body =
        static_cast<int*>(named_anchor("anchor-test-throw", 64, 5, [](void*) {}));
    CHECK(*body == 0);
}
