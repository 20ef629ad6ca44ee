// SPDX-License-Identifier: MIT
// tests/platform/parking_test.cpp — sleeping on a shared word.
#include <multiprocessing/platform/parking.hpp>

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/memory.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/time.h>

namespace platform = multiprocessing::platform;
using platform::Parked;
using Word = std::atomic<std::uint32_t>;

namespace {

constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

struct SharedWord {
    platform::SharedMemory memory = platform::SharedMemory::create(1 << 20, 4096);
    Word& word = *::new (memory.data()) Word(0);
};

}  // namespace

TEST_CASE("park: returns at once when the word has changed", "[platform][threads]") {
    Word word{1};
    CHECK(platform::park(word, 0, forever) == Parked::changed);
}

TEST_CASE("park: returns when the time is over, and not before", "[platform][threads]") {
    Word word{0};
    std::uint64_t const start = platform::monotonic_ns();
    CHECK(platform::park(word, 0, 5'000'000) == Parked::timed_out);
    CHECK(platform::monotonic_ns() - start >= 5'000'000);
    CHECK(platform::park(word, 0, 0) == Parked::timed_out);
}

TEST_CASE("unpark: wakes nobody where nobody sleeps", "[platform][threads]") {
    Word word{0};
    CHECK(platform::unpark_one(word) == 0);
    CHECK(platform::unpark_all(word) == 0);
}

TEST_CASE("unpark_one: wakes one sleeper of another process", "[platform]") {
    SharedWord shared;
    auto const sleep = [&] {
        return platform::park(shared.word, 0, forever) == Parked::woken ? 0 : 1;
    };
    test::Child first(sleep);
    test::Child second(sleep);
    CHECK(test::eventually([&] { return platform::unpark_one(shared.word) == 1; }));
    CHECK(test::eventually([&] { return platform::unpark_one(shared.word) == 1; }));
    CHECK(first.wait() == 0);
    CHECK(second.wait() == 0);
}

TEST_CASE("unpark_all: wakes every sleeper, through whatever mapping", "[platform]") {
    SharedWord shared;
    auto const again =
        platform::SharedMemory::attach(platform::duplicate(shared.memory.handle()), 1 << 20);
    Word& alias = *reinterpret_cast<Word*>(again.data());
    std::vector<std::unique_ptr<test::Child>> children;
    for (int i = 0; i < 3; ++i) {
        children.push_back(std::make_unique<test::Child>(
            [&] { return platform::park(alias, 0, forever) == Parked::woken ? 0 : 1; }));
    }
    int woken = 0;
    CHECK(test::eventually([&] { return (woken += platform::unpark_all(shared.word)) == 3; }));
    for (auto const& child : children) {
        CHECK(child->wait() == 0);
    }
}

TEST_CASE("park: a change between the look and the sleep is not missed", "[platform]") {
    SharedWord shared;  // ping-pong: every lost wake-up would be a hang
    constexpr std::uint32_t rounds = 2000;
    auto const play = [&](std::uint32_t parity) {
        for (std::uint32_t round = parity; round < rounds; round += 2) {
            std::uint32_t seen = 0;
            while ((seen = shared.word.load(std::memory_order_acquire)) != round) {
                platform::park(shared.word, seen, forever);
            }
            shared.word.store(round + 1, std::memory_order_release);
            platform::unpark_one(shared.word);
        }
        return 0;
    };
    test::Child child([&] { return play(1); });
    play(0);
    CHECK(child.wait() == 0);
    CHECK(shared.word.load() == rounds);
}

TEST_CASE("park: threads of one process wake each other", "[platform][threads]") {
    Word word{0};
    std::thread waiter([&] {
        while (word.load(std::memory_order_acquire) == 0) {
            platform::park(word, 0, forever);
        }
    });
    word.store(1, std::memory_order_release);
    platform::unpark_all(word);
    waiter.join();
}

TEST_CASE("park: signals neither end nor lengthen the sleep", "[platform]") {
    CHECK(test::in_child([] {
              struct sigaction action {};
              action.sa_handler = [](int) {};  // without SA_RESTART: every tick is an EINTR
              ::sigaction(SIGALRM, &action, nullptr);
              itimerval const ticks{{0, 1000}, {0, 1000}};
              ::setitimer(ITIMER_REAL, &ticks, nullptr);
              Word word{0};
              std::uint64_t const start = platform::monotonic_ns();
              Parked const end = platform::park(word, 0, 30'000'000);
              std::uint64_t const passed = platform::monotonic_ns() - start;
              return end == Parked::timed_out && passed >= 30'000'000 ? 0 : 1;
          }) == 0);
}
