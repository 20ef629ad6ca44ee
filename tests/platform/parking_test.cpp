// SPDX-License-Identifier: MIT
// tests/platform/parking_test.cpp — sleeping on a shared word.
#include <multiprocessing/platform/parking.hpp>

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/memory.hpp>
#include <multiprocessing/platform/process.hpp>

#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

namespace platform = multiprocessing::platform;
using platform::Parked;
using test::forever;
using Word = std::atomic<std::uint32_t>;

namespace {

struct SharedWord {
    platform::SharedMemory memory = platform::SharedMemory::create(1 << 20, 4096);
    Word& word = *::new (memory.data()) Word(0);
};

Word& word_in(platform::SharedMemory const& memory, std::size_t index = 0) {
    return reinterpret_cast<Word*>(memory.data())[index];
}

constexpr std::uint32_t rounds = 2000;

/// One side of a ping-pong.
void play(Word& word, std::uint32_t parity) {
    for (std::uint32_t round = parity; round < rounds; round += 2) {
        std::uint32_t seen = 0;
        while ((seen = word.load(std::memory_order_acquire)) != round) {
            platform::park(word, seen, forever);
        }
        word.store(round + 1, std::memory_order_release);
        platform::unpark_one(word);
    }
}

}  // namespace

// What the cases below start this program for.
TEST_CASE("spawned: park", "[.]") {
    auto const memory = test::inherited_memory();
    platform::exit_process(platform::park(word_in(memory), 0, forever) == Parked::woken ? 0 : 1);
}
TEST_CASE("spawned: park and tell", "[.]") {
    auto const memory = test::inherited_memory();
    word_in(memory, 1).store(1);
    for (;;) platform::park(word_in(memory), 0, forever);
}
TEST_CASE("spawned: play", "[.]") {
    auto const memory = test::inherited_memory();
    play(word_in(memory), 1);
    platform::exit_process(0);
}

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

TEST_CASE("unpark_one: wakes one sleeper of another process", "[platform]") {
    SharedWord shared;
    test::Spawned first = test::spawn_with(shared.memory, "park");
    test::Spawned second = test::spawn_with(shared.memory, "park");
    CHECK(test::eventually([&] { return platform::unpark_one(shared.word) == 1; }));
    CHECK(test::eventually([&] { return platform::unpark_one(shared.word) == 1; }));
    CHECK(first.wait() == 0);
    CHECK(second.wait() == 0);
}

TEST_CASE("unpark_all: wakes every sleeper, through whatever mapping", "[platform]") {
    SharedWord shared;
    auto const again =
        platform::SharedMemory::attach(platform::duplicate(shared.memory.handle()), 1 << 20);
    std::vector<test::Spawned> children;
    for (int i = 0; i < 3; ++i) children.push_back(test::spawn_with(shared.memory, "park"));
    int woken = 0;
    CHECK(test::eventually([&] { return (woken += platform::unpark_all(word_in(again))) == 3; }));
    for (auto& child : children) {
        CHECK(child.wait() == 0);
    }
}

TEST_CASE("park: a change between the look and the sleep is not missed", "[platform]") {
    SharedWord shared;  // ping-pong: every lost wake-up would be a hang
    test::Spawned child = test::spawn_with(shared.memory, "play");
    play(shared.word, 0);
    CHECK(child.wait() == 0);
    CHECK(shared.word.load() == rounds);
}

TEST_CASE("unpark_one: a killed sleeper does not take the wake of a living one", "[platform]") {
    SharedWord shared;
    for (int round = 0; round < 3; ++round) {
        test::Spawned killed = test::spawn_with(shared.memory, "park and tell");
        REQUIRE(test::eventually([&] { return word_in(shared.memory, 1).load() == 1; }));
        platform::kill_process(killed.pid());
        CHECK(killed.wait().value() < 0);
        word_in(shared.memory, 1).store(0);

        test::Spawned living = test::spawn_with(shared.memory, "park");
        CHECK(test::eventually([&] { return platform::unpark_one(shared.word) == 1; }));
        CHECK(living.wait() == 0);
        CHECK(platform::unpark_one(shared.word) == 0);
    }
}

TEST_CASE("park: more sleepers than there are places for, and all are woken",
          "[platform][threads]") {
    Word word{0};
    std::vector<std::thread> sleepers;
    for (int i = 0; i < 80; ++i)
        sleepers.emplace_back([&] {
            while (word.load() == 0) platform::park(word, 0, forever);
        });
    word.store(1);
    platform::unpark_all(word);
    for (std::thread& sleeper : sleepers) sleeper.join();
    CHECK(platform::unpark_all(word) == 0);
}
