// SPDX-License-Identifier: MIT
// tests/heap/ring_test.cpp — order, bounds, growth, wrapped counters, threads.
#include <multiprocessing/heap.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace mp::heap;

namespace {

bool put(Ring& ring, std::uint64_t value) {
    return ring.try_put(std::as_bytes(std::span{&value, 1}));
}

std::uint64_t value_of(RingItem& item) {
    std::uint64_t value = 0;
    if (item.is_message())
        std::memcpy(&value, item.message().body(), sizeof value);
    else
        std::memcpy(&value, item.bytes().data(), sizeof value);
    return value;
}

std::optional<std::uint64_t> get(Ring& ring) {
    std::optional<std::uint64_t> value;
    ring.try_get([&](RingItem& item) { value = value_of(item); });
    return value;
}

Hand message_of(std::uint64_t value) {
    auto message = new_message(0, 1000);
    std::memcpy(message.body(), &value, sizeof value);
    return message;
}

/// 3000 items through a ring that holds up to 1200 of them: three segments and more.
void run_through(Ring ring) {
    std::uint64_t next_put = 0;
    std::uint64_t next_got = 0;
    while (next_got < 3000) {
        while (next_put < 3000 && next_put - next_got < 1200) REQUIRE(put(ring, next_put++));
        REQUIRE(ring.size() == next_put - next_got);
        for (int i = 0; i < 700 && next_got < next_put; ++i) REQUIRE(get(ring) == next_got++);
    }
    REQUIRE_FALSE(get(ring));
    REQUIRE(ring.empty());
}

}  // namespace

TEST_CASE("Ring: items come out in the order in which they were put", "[heap][ring]") {
    auto const before = family::at_rest();
    run_through(Ring::make());
    CHECK(family::at_rest() == before);
}

TEST_CASE("Ring: a new ring is empty and takes no segment", "[heap][ring]") {
    auto const before = family::at_rest();
    auto ring = Ring::make();
    CHECK(ring.empty());
    CHECK(ring.size() == 0);
    CHECK_FALSE(ring.full());
    CHECK_FALSE(get(ring));
    CHECK(family::at_rest().blocks == before.blocks + 1);
}

TEST_CASE("Ring: the counters wrap", "[heap][ring]") {
    auto& lap = State::instance().arena.header().segment_lap;
    for (auto const start : {lap_mask - 1, lap_mask, ~std::uint64_t{0} - 1}) {
        lap.store(start);
        run_through(Ring::make());
        run_through(Ring::make({.maxsize = 1500, .first_number = ~std::uint64_t{0} - 1000}));
        CHECK((lap.load() & lap_mask) < 1000);
    }
    auto bounded = Ring::make({.maxsize = 3, .first_number = ~std::uint64_t{0} - 1});
    for (std::uint64_t i = 0; i < 2000; ++i) {
        for (std::uint64_t n = 0; n < 3; ++n) REQUIRE(put(bounded, n));
        REQUIRE_FALSE(put(bounded, 9));
        REQUIRE(bounded.full());
        for (std::uint64_t n = 0; n < 3; ++n) REQUIRE(get(bounded) == n);
    }
}

TEST_CASE("Ring: a bounded ring takes exactly maxsize items", "[heap][ring]") {
    for (std::uint64_t const maxsize : {1u, 2u, 510u, 511u, 512u, 1023u, 1500u}) {
        auto ring = Ring::make({.maxsize = maxsize});
        for (int round = 0; round < 4; ++round) {
            for (std::uint64_t i = 0; i < maxsize; ++i) REQUIRE(put(ring, i));
            REQUIRE(ring.full());
            REQUIRE_FALSE(put(ring, maxsize));
            auto rejected = message_of(1);
            REQUIRE_FALSE(ring.try_put(rejected));
            REQUIRE(rejected);
            REQUIRE(get(ring) == 0u);
            REQUIRE_FALSE(ring.full());
            REQUIRE(put(ring, maxsize));
            for (std::uint64_t i = 1; i <= maxsize; ++i) REQUIRE(get(ring) == i);
        }
    }
}

TEST_CASE("Ring: the place is free once the getter holds the item", "[heap][ring]") {
    auto ring = Ring::make({.maxsize = 1});
    put(ring, 1);
    ring.try_get([&](RingItem&) { CHECK(ring.size() == 0); });
}

TEST_CASE("Ring: messages and bytes take turns, and nothing is left of them", "[heap][ring]") {
    auto const before = family::at_rest();
    {
        auto ring = Ring::make();
        for (std::uint64_t i = 0; i < 1000; ++i) {
            auto message = message_of(i);
            if (i % 2 == 0)
                REQUIRE(ring.try_put(message));
            else
                REQUIRE(put(ring, i));
        }
        CHECK(family::at_rest().blocks > before.blocks + 500);
        for (std::uint64_t i = 0; i < 400; ++i) REQUIRE(get(ring) == i);
        CHECK(ring.try_get([](RingItem& item) { CHECK(item.take()); }));
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Ring: an item whose visit throws counts as got", "[heap][ring]") {
    auto const before = family::at_rest();
    {
        auto ring = Ring::make();
        auto message = message_of(1);
        ring.try_put(message);
        put(ring, 2);
        CHECK_THROWS_AS(ring.try_get([](RingItem&) { throw std::logic_error("no"); }),
                        std::logic_error);
        CHECK(get(ring) == 2u);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Ring: rings in rings, each in the next, die without a stack", "[heap][ring]") {
    auto const before = family::at_rest();
    {
        auto inner = Ring::make();
        for (int depth = 0; depth < 2000; ++depth) {
            auto outer = Ring::make();
            auto message = new_message(1, 0);
            link(message.header(), 0, inner.shared());
            outer.try_put(message);
            inner = outer;
        }
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Ring: memory of a long queue is given back", "[heap][ring][give_back]") {
    auto const before = family::at_rest();
    ledger().blocks().trim();
    auto const backed = statistics().backed;
    {
        auto ring = Ring::make();
        for (std::uint64_t i = 0; i < 1'000'000; ++i) put(ring, i);
        CHECK(ring.size() == 1'000'000);
        CHECK(statistics().backed > backed + 120'000'000);
        for (std::uint64_t i = 0; i < 1'000'000; ++i)
            if (get(ring) != i) FAIL("out of order");
        CHECK(family::at_rest().blocks == before.blocks + 2);  // the ring, its last segment
    }
    CHECK(family::at_rest() == before);
    ledger().blocks().trim();
    CHECK(statistics().backed < backed + 12'000'000);  // the allocator's tables stay
}

TEST_CASE("Ring: a getter's death loses its item, or puts it again", "[heap][ring][fork]") {
    for (bool const again : {false, true}) {
        auto const before = family::at_rest();
        {
            auto ring = Ring::make({.redeliver = again});
            for (std::uint64_t i = 0; i < 600; ++i) {
                auto message = message_of(i);
                ring.try_put(message);
            }
            for (std::uint64_t i = 0; i < 511; ++i) get(ring);
            auto const child = family::start([&] {
                ring.try_get([](RingItem&) { mp::platform::exit_process(7); });
                return 1;
            });
            CHECK(child.join() == 7);
            for (std::uint64_t i = 512; i < 600; ++i) REQUIRE(get(ring) == i);
            CHECK(get(ring) == (again ? std::optional<std::uint64_t>{511} : std::nullopt));
            CHECK_FALSE(get(ring));
        }
        CHECK(family::at_rest() == before);
    }
}

TEST_CASE("Ring: a putter's death in the middle leaves nothing, and holds up nobody",
          "[heap][ring][fork]") {
    auto const before = family::at_rest();
    {
        auto ring = Ring::make({.maxsize = 2});
        auto const child = family::start([&] {
            ring.try_put(8, [](std::byte*) { mp::platform::exit_process(7); });
            return 1;
        });
        CHECK(mp::platform::wait_process(child.pid, 30'000'000'000) == 7);
        put(ring, 1);
        CHECK_FALSE(get(ring));  // behind the dead one's
        std::uint64_t value = 0;
        CHECK(ring.get([&](RingItem& item) { value = value_of(item); }, mp::Deadline()));
        CHECK(value == 1);
        CHECK_FALSE(get(ring));
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Ring: threads put and get at once", "[heap][ring][threads]") {
    auto const maxsize = GENERATE(0u, 1u, 100u);
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t each = 20'000;
    auto ring = Ring::make({.maxsize = maxsize});
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::thread> all;
    for (std::uint64_t t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < each; ++i) {
                auto const value = t << 32 | i;
                if (i % 16 == 0) {
                    auto message = message_of(value);
                    ring.put(message, mp::Deadline());
                } else {
                    ring.put(std::as_bytes(std::span{&value, 1}), mp::Deadline());
                }
            }
        });
        all.emplace_back([&] {
            std::uint64_t seen[threads] = {};
            for (std::uint64_t i = 0; i < each; ++i) {
                std::uint64_t value = 0;
                ring.get([&](RingItem& item) { value = value_of(item); }, mp::Deadline());
                auto& last = seen[value >> 32];
                if ((value & 0xffffffff) + 1 <= last) ++wrong;
                last = (value & 0xffffffff) + 1;
                sum += value & 0xffffffff;
            }
        });
    }
    for (auto& thread : all) thread.join();
    CHECK(wrong == 0);
    CHECK(sum == threads * (each * (each - 1) / 2));
    CHECK(ring.empty());
}
