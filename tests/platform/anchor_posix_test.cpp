// SPDX-License-Identifier: MIT
// tests/platform/anchor_posix_test.cpp — the anchor and fork, which Windows has not.
#include <multiprocessing/platform/anchor.hpp>

#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include <link.h>

namespace platform = multiprocessing::platform;
using platform::named_anchor;

namespace {

void set_to_one(void* body) { *static_cast<int*>(body) = 1; }

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
