// SPDX-License-Identifier: MIT
// tests/platform/park_any_test.cpp — sleeping on several shared words at once.
#include <multiprocessing/platform/park_any.hpp>

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/parking.hpp>
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
using test::forever;
using Word = std::atomic<std::uint32_t>;

namespace {

struct SharedWords {
    explicit SharedWords(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto* const word = ::new (memory.data() + i * sizeof(Word)) Word(0);
            words.push_back({word, 0});
        }
    }
    Word& operator[](std::size_t index) { return *words[index].word; }

    platform::SharedMemory memory = platform::SharedMemory::create(1 << 20, 4096);
    std::vector<platform::ParkingWord> words;
};

constexpr std::uint32_t questions = 500;
constexpr std::size_t answering = 0, first_question = 1;

}  // namespace

// Answers questions in any of three words, each of which it wakes up for.
TEST_CASE("spawned: answer", "[.]") {
    auto const memory = test::inherited_memory();
    auto* const all = reinterpret_cast<Word*>(memory.data());
    std::vector<platform::ParkingWord> words;
    for (std::size_t i = 0; i < 3; ++i) words.push_back({all + first_question + i, 0});
    for (std::uint32_t answers = 0; answers < questions;) {
        platform::park_any(words, forever);
        std::uint32_t found = 0;
        for (auto& [word, expected] : words)
            if (auto const now = word->load(); now != expected) {
                found += now - expected;
                expected = now;
            }
        if (found == 0) continue;
        answers += found;
        all[answering].store(answers);
        platform::unpark_one(all[answering]);
    }
    platform::exit_process(0);
}
TEST_CASE("spawned: park at three", "[.]") {
    auto const memory = test::inherited_memory();
    auto* const all = reinterpret_cast<Word*>(memory.data());
    std::vector<platform::ParkingWord> words;
    for (std::size_t i = 0; i < 3; ++i) words.push_back({all + i, 0});
    all[3].store(1);
    for (;;) platform::park_any(words, forever);
}

TEST_CASE("park_any: returns at once when a word has changed", "[platform][threads]") {
    Word same{1};
    Word other{2};
    platform::park_any(std::vector<platform::ParkingWord>{{&same, 1}, {&other, 1}}, forever);
}

TEST_CASE("park_any: returns when the time is over", "[platform][threads]") {
    Word word{0};
    std::vector<platform::ParkingWord> const words{{&word, 0}, {&word, 0}};
    std::uint64_t const start = platform::monotonic_ns();
    while (platform::monotonic_ns() - start < 5'000'000)
        platform::park_any(words, 5'000'000 - (platform::monotonic_ns() - start));
    platform::park_any(words, 0);
    platform::park_any({}, 1'000'000);
}

TEST_CASE("park_any: a change of any word between the look and the sleep is not missed",
          "[platform]") {
    SharedWords shared(4);
    test::Spawned child = test::spawn_with(shared.memory, "answer");
    for (std::uint32_t round = 0; round < questions; ++round) {
        Word& question = shared[first_question + round % 3];
        question.fetch_add(1);
        platform::unpark_one(question);
        while (shared[answering].load() <= round)
            platform::park_any(std::vector<platform::ParkingWord>{{&shared[answering], round}},
                               forever);
    }
    CHECK(child.wait() == 0);
}

TEST_CASE("park_any: is woken by unpark_all of each word, and of more words than the system takes",
          "[platform][threads]") {
    for (std::size_t const count : {std::size_t{2}, std::size_t{64}, std::size_t{150}}) {
        SharedWords shared(count);
        for (std::size_t const woken : {std::size_t{0}, count - 1}) {
            std::atomic<bool> back{false};
            std::thread sleeper([&] {
                while (shared[woken].load() == 0) platform::park_any(shared.words, forever);
                back = true;
            });
            shared[woken].store(1);
            CHECK(test::eventually([&] {
                platform::unpark_all(shared[woken]);
                return back.load();
            }));
            sleeper.join();
            shared[woken].store(0);
        }
    }
}

TEST_CASE("park_any: a killed sleeper does not take the wake of a living one", "[platform]") {
    SharedWords shared(4);
    test::Spawned killed = test::spawn_with(shared.memory, "park at three");
    REQUIRE(test::eventually([&] { return shared[3].load() == 1; }));
    platform::kill_process(killed.pid());
    CHECK(killed.wait().value() < 0);

    std::atomic<bool> woken{false};
    std::thread living([&] {
        CHECK(platform::park(shared[1], 0, forever) == platform::Parked::woken);
        woken = true;
    });
    CHECK(test::eventually([&] { return platform::unpark_one(shared[1]) == 1; }));
    living.join();
    CHECK(woken);
    CHECK(platform::unpark_one(shared[1]) == 0);
}

TEST_CASE("park_any: as many sleepers as there are, all are woken", "[platform][threads]") {
    SharedWords shared(3);
    std::vector<std::thread> sleepers;
    for (std::size_t i = 0; i < 70; ++i)
        sleepers.emplace_back([&] {
            while (shared[2].load() == 0) platform::park_any(shared.words, forever);
        });
    shared[2].store(1);
    platform::unpark_all(shared[2]);
    for (std::thread& sleeper : sleepers) sleeper.join();
    CHECK(platform::unpark_all(shared[0]) == 0);
}
