// SPDX-License-Identifier: MIT
// tests/platform/anchor_test.cpp — the block that all modules of a process share.
#include <multiprocessing/platform/anchor.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <link.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using platform::named_anchor;

namespace {

std::atomic<int> constructions{0};

void count(void*) { ++constructions; }

void set_to_one(void* body) { *static_cast<int*>(body) = 1; }

/// The loaded plugin; never unloaded.
struct Plugin {
    void* library = ::dlopen(MULTIPROCESSING_TEST_ANCHOR_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    void* (*anchor)(char const*, std::size_t, std::uint64_t) = nullptr;
    int (*constructions)() = nullptr;

    Plugin() {
        REQUIRE(library != nullptr);
        anchor = reinterpret_cast<decltype(anchor)>(::dlsym(library, "plugin_anchor"));
        constructions =
            reinterpret_cast<decltype(constructions)>(::dlsym(library, "plugin_constructions"));
        REQUIRE(anchor != nullptr);
        REQUIRE(constructions != nullptr);
    }
};

// For the construction that a fork interrupts: which end to tell that it has begun.
std::atomic<int> told{-1};
std::atomic<int> awaited{-1};

void construct_slowly(void* body) {
    if (told >= 0) {
        platform::write_all(told, std::vector{std::byte{1}});
        std::array<std::byte, 1> byte{};
        platform::read_some(awaited, byte);
    }
    ++*static_cast<int*>(body);
}

// For a fork while another thread holds the loader's lock.
struct Pause {
    int told;
    int awaited;
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

TEST_CASE("named_anchor: a forked child has its own copy", "[platform]") {
    auto* const body = static_cast<int*>(named_anchor("anchor-test-fork", 64, 6, set_to_one));
    CHECK(test::in_child([&] {
              auto* const mine =
                  static_cast<int*>(named_anchor("anchor-test-fork", 64, 6, set_to_one));
              bool const inherited = mine == body && *mine == 1;
              *mine = 2;
              return inherited ? 0 : 1;
          }) == 0);
    CHECK(*body == 1);
}

TEST_CASE("named_anchor: a child forked in the middle of a construction makes its own",
          "[platform]") {
    auto const [begun, teller] = platform::pipe_pair();
    auto const [waiter, releaser] = platform::pipe_pair();
    told = teller.get();
    awaited = waiter.get();
    std::thread slow([] { named_anchor("anchor-test-middle", 64, 7, construct_slowly); });
    std::array<std::byte, 1> byte{};
    platform::read_some(begun.get(), byte);
    auto const code = test::in_child([] {
        told = -1;
        auto const* const body =
            static_cast<int*>(named_anchor("anchor-test-middle", 64, 7, construct_slowly));
        return *body;
    });
    platform::write_all(releaser.get(), std::vector{std::byte{1}});
    slow.join();
    CHECK(code == 1);
    CHECK(*static_cast<int*>(named_anchor("anchor-test-middle", 64, 7, construct_slowly)) == 1);
}

TEST_CASE("named_anchor: a child forked while another thread looks for one is not locked out",
          "[platform]") {
    auto const [begun, teller] = platform::pipe_pair();
    auto const [waiter, releaser] = platform::pipe_pair();
    Pause pause{teller.get(), waiter.get()};
    std::thread looking([&] {
        ::dl_iterate_phdr(
            [](dl_phdr_info*, std::size_t, void* argument) {
                auto const& ends = *static_cast<Pause*>(argument);
                platform::write_all(ends.told, std::vector{std::byte{1}});
                std::array<std::byte, 1> wait{};
                platform::read_some(ends.awaited, wait);
                return 1;
            },
            &pause);
    });
    std::array<std::byte, 1> byte{};
    platform::read_some(begun.get(), byte);
    test::Child child([] {
        auto const* const body =
            static_cast<int*>(named_anchor("anchor-test-lock", 64, 8, set_to_one));
        return *body;
    });
    auto const code = child.wait(5'000'000'000);
    platform::write_all(releaser.get(), std::vector{std::byte{1}});
    looking.join();
    CHECK(code == 1);
}
