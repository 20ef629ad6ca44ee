// SPDX-License-Identifier: MIT
// tests/queues/queue_storm_test.cpp — putters and getters are killed at random; nothing is torn,
// lost or doubled.
#include <multiprocessing/queues.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/storm.hpp"

#include <map>
#include <optional>
#include <string>

namespace mp = multiprocessing;
namespace heap = mp::heap;
namespace storm = test::storm;

namespace {

constexpr std::size_t putters = 3;
constexpr std::size_t getters = 3;
constexpr std::uint64_t most_items = 64'000'000;

/// Of all processes of the storm. Every item has its number; the putter that takes number n out of
/// `next` owes an item n until `put` says so.
struct Board {
    heap::Word next;
    heap::Word over;
    heap::Word got;
    heap::Word torn;
    // 1: put returned; 2: counted by getter
    std::array<std::atomic<std::uint8_t>, most_items> state;
};
constexpr std::uint8_t was_put = 1, was_got = 2, was_doubled = 4;

std::optional<heap::Shared> shared_board;
Board& board() { return *shared_board->body<Board>(); }

std::string text_of(std::uint64_t number) {
    return std::to_string(number) + std::string(number % 5 == 0 ? 700 : number % 80, 'x');
}

std::map<std::int64_t, heap::SlotStamp> members;

std::int64_t fork_member() {
    heap::ChildSlot slot{"member"};
    auto const stamp = slot.stamp();
    auto const result = heap::fork(slot);
    if (result.side == mp::platform::ForkSide::child) return 0;
    members[result.pid] = stamp;
    return result.pid;
}

void put_for_ever(mp::Queue<std::string>& queue) {
    while (board().over == 0) {
        auto const number = board().next.fetch_add(1);
        if (number >= most_items) return;
        try {
            queue.put(text_of(number), true, std::chrono::milliseconds(200));
            board().state[number].fetch_or(was_put);
        } catch (mp::Full const&) {}
    }
}

void note(std::string const& text) {
    auto const number = std::stoull(text);
    if (text != text_of(number)) board().torn.fetch_add(1);
    if ((board().state[number].fetch_or(was_got) & was_got) != 0)
        board().state[number].fetch_or(was_doubled);
    board().got.fetch_add(1);
}

void get_for_ever(mp::Queue<std::string>& queue) {
    while (board().over == 0) {
        try {
            note(queue.get(true, std::chrono::milliseconds(200)));
        } catch (mp::Empty const&) {}
    }
}

void blow(long maxsize) {
    (void)heap::ledger();
    heap::sweep_dead();  // of earlier cases
    auto const before = family::at_rest();
    {
        shared_board = heap::Shared::make(heap::Kind::plain, 0, sizeof(Board), [](std::byte*) {});
        mp::Queue<std::string> queue(maxsize);
        storm::Plan plan{.name = "queue"};
        plan.roles = {{"putter", [&] { put_for_ever(queue); }, putters},
                      {"getter", [&] { get_for_ever(queue); }, getters}};
        plan.kills = 400;
        plan.longest = std::chrono::seconds(8);
        plan.longest_delay = std::chrono::milliseconds(8);
        plan.progress = [] { return board().got.load(); };
        plan.wind_down = [] { board().over = 1; };
        plan.fork = fork_member;
        std::uint64_t killed_getters = 0;
        plan.on_kill = [&](storm::Kill const& kill) {
            heap::sweep(members.at(kill.pid), true);  // it may not have begun
            if (kill.role == "getter") ++killed_getters;
        };
        auto const outcome = storm::run(plan);
        storm::verify(outcome);
        for (auto const& [pid, stamp] : members) heap::sweep(stamp, true);
        members.clear();
        try {
            for (;;) note(queue.get(false));
        } catch (mp::Empty const&) {}
        CHECK(queue.qsize() == 0);
        CHECK(board().torn == 0);
        std::uint64_t lost = 0;
        std::uint64_t doubled = 0;
        auto const end = std::min(board().next.load(), most_items);
        for (std::uint64_t i = 0; i < end; ++i) {
            auto const state = board().state[i].load();
            if ((state & (was_put | was_got)) == was_put) ++lost;
            if ((state & was_doubled) != 0) ++doubled;
        }
        CHECK(doubled == 0);
        CHECK(lost <= killed_getters);  // one item can die with each
        INFO("items got: " << board().got << ", died with their getters: " << lost
                           << ", kills: " << outcome.kills
                           << ", longest stall: " << outcome.longest_stall.count() << " us");
        shared_board.reset();
    }
    auto const after = family::at_rest();
    CHECK(after.blocks == before.blocks);
    CHECK(after.slots == before.slots);
    CHECK(after == before);
}

}  // namespace

TEST_CASE("Queue: a storm of kills tears nothing and loses only what a killed getter had",
          "[queue][storm]") {
    blow(0);
}

TEST_CASE("Queue: a storm of kills on a bounded queue", "[queue][storm]") { blow(50); }
