// SPDX-License-Identifier: MIT
// tests/platform/memory_test.cpp — the shared memory of a tree.
#include <multiprocessing/platform/memory.hpp>

#include <multiprocessing/platform/parking.hpp>
#include <multiprocessing/platform/process.hpp>

#include "platform/bytes.hpp"
#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

namespace platform = multiprocessing::platform;
using platform::SharedMemory;
using test::GiB, test::MiB, test::all_zero;
using test::forever;
using Word = std::atomic<std::uint32_t>;

namespace {

constexpr std::size_t growers = 4;
constexpr std::size_t grow_rounds = 100;

Word& first_word(SharedMemory const& memory) { return *reinterpret_cast<Word*>(memory.data()); }

}  // namespace

// What the cases below start this program for.
TEST_CASE("spawned: copy a byte", "[.]") {
    auto const memory = test::inherited_memory();
    first_word(memory).store(1);
    while (first_word(memory).load() == 1) platform::park(first_word(memory), 1, forever);
    memory.data()[8] = memory.data()[8 * MiB];
    platform::exit_process(0);
}
TEST_CASE("spawned: grow", "[.]") {
    auto memory = test::inherited_memory();
    std::size_t const self = first_word(memory).fetch_add(1);
    for (std::size_t round = 0; round < grow_rounds; ++round) {
        std::size_t const wanted = MiB + (round * growers + self + 1) * 16384;
        if (!memory.grow(wanted)) platform::exit_process(1);
        memory.data()[wanted - 1] = std::byte{1};  // a fault if it is not there
    }
    platform::exit_process(0);
}

TEST_CASE("SharedMemory: is zero and as long as asked for", "[platform]") {
    SharedMemory memory = SharedMemory::create(4 * GiB, MiB);
    CHECK(memory.size() == MiB);
    CHECK(all_zero(memory.data(), MiB));
    REQUIRE(memory.grow(2 * GiB));
    CHECK(memory.size() == 2 * GiB);
    memory.data()[2 * GiB - 1] = std::byte{1};
    CHECK(memory.grow(MiB));
    CHECK(memory.size() == 2 * GiB);
    CHECK(!memory.grow(memory.reserved() + 1));
    CHECK(!memory.grow(std::numeric_limits<std::size_t>::max()));
}

TEST_CASE("SharedMemory: a child sees it, and what it grows to later", "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    test::Spawned child = test::spawn_with(memory, "copy a byte");
    Word& word = first_word(memory);
    REQUIRE(test::eventually([&] { return word.load() == 1; }));  // it has mapped the memory
    REQUIRE(memory.grow(16 * MiB));
    memory.data()[8 * MiB] = std::byte{42};
    word.store(2);
    platform::unpark_one(word);
    CHECK(child.wait() == 0);
    CHECK(memory.data()[8] == std::byte{42});
}

TEST_CASE("SharedMemory: attach maps the same bytes at another place", "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    SharedMemory other =
        SharedMemory::attach(platform::duplicate(memory.handle()), memory.reserved());
    CHECK(other.data() != memory.data());
    memory.data()[5] = std::byte{5};
    CHECK(other.data()[5] == std::byte{5});
    REQUIRE(other.grow(2 * MiB));
    CHECK(memory.size() == 2 * MiB);

    SharedMemory moved = std::move(other);
    CHECK(other.data() == nullptr);
    moved = SharedMemory();
    CHECK(moved.data() == nullptr);
}

TEST_CASE("SharedMemory: what is given back reads as zero and occupies nothing", "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, 8 * MiB);
    std::memset(memory.data(), 0xff, 8 * MiB);
    std::size_t const full = memory.resident();
    CHECK(full >= 8 * MiB);
    if (!memory.give_back(MiB, 4 * MiB)) {
        SKIP("this system keeps what it once gave");
    }
    CHECK(memory.resident() <= full - 4 * MiB);
    CHECK(memory.data()[MiB - 1] == std::byte{0xff});
    CHECK(all_zero(memory.data() + MiB, 4 * MiB));
    CHECK(memory.data()[5 * MiB] == std::byte{0xff});
    CHECK(memory.size() == 8 * MiB);
}

TEST_CASE("SharedMemory: processes that grow it at once all get what they asked for",
          "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    std::vector<test::Spawned> family;
    for (std::uint32_t self = 0; self < growers; ++self) {
        family.push_back(test::spawn_with(memory, "grow"));
    }
    for (auto& child : family) {
        CHECK(child.wait() == 0);
    }
    CHECK(memory.size() == MiB + grow_rounds * growers * 16384);
}

TEST_CASE("SharedMemory: threads that grow it at once all get what they asked for",
          "[platform][threads]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (std::size_t self = 0; self < 4; ++self) {
        threads.emplace_back([&, self] {
            for (std::size_t round = 0; round < 50; ++round) {
                std::size_t const wanted = MiB + (round * 4 + self + 1) * 16384;
                refused += memory.grow(wanted) ? 0 : 1;
                memory.data()[wanted - 1] = std::byte{1};
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(refused == 0);
}

TEST_CASE("page_size: is a power of two", "[platform][threads]") {
    CHECK(platform::page_size() >= 4096);
    CHECK((platform::page_size() & (platform::page_size() - 1)) == 0);
}
