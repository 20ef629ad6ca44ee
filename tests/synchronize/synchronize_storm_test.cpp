// SPDX-License-Identifier: MIT
// tests/synchronize/synchronize_storm_test.cpp — who waits, notifies, holds permits and meets at
// barriers is killed at random; the living go on.
#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/synchronize.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"
#include "support/storm.hpp"

#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace mp = multiprocessing;
namespace heap = mp::heap;
namespace storm = test::storm;
using namespace std::chrono_literals;

namespace {

struct Board {
    heap::Word progress{0};
    heap::Word over{0};
};

std::map<std::int64_t, heap::SlotStamp> members;

/// As family::fork_member, and remembers whom to sweep.
std::int64_t fork_and_note() {
    heap::ChildSlot slot{"member"};
    auto const stamp = slot.stamp();
    auto const result = heap::fork(slot);
    if (result.side == mp::platform::ForkSide::child) return 0;
    members[result.pid] = stamp;
    return result.pid;
}

/// Longer than a storm may stand still: a wait that ends by it would be a fault.
constexpr auto too_long = 8s;

/// 300 kills among four of each role, who wind down at the end. Nothing is left behind.
template <class Object, class First, class Second, class Wake, class AtRest>
void blow(std::string const& name, Object object, First first, Second second, Wake wake,
          AtRest at_rest) {
    auto const board = heap::Tagged<Board>::make();
    auto const before = family::at_rest();
    storm::Plan plan{.name = name};
    plan.roles = {{"first", [&] { while (board->over == 0) first(object, *board); }, 4},
                  {"second", [&] { while (board->over == 0) second(object, *board); }, 4}};
    plan.kills = 300;
    plan.longest = 60s;
    plan.longest_delay = 8ms;
    plan.stall = 5s;
    plan.progress = [&] { return board->progress.load(); };
    plan.wind_down = [&] {
        board->over = 1;
        wake(object);
    };
    plan.fork = fork_and_note;
    plan.on_kill = [&](storm::Kill const& kill) {
        if (kill.number % 2 == 0) heap::sweep(members.at(kill.pid), true);
    };
    auto const outcome = storm::run(plan);
    storm::verify(outcome);
    CHECK(outcome.kills >= 100);
    for (auto const& [pid, stamp] : members) heap::sweep(stamp, true);
    members.clear();
    at_rest(object);
    CHECK(family::at_rest().slots == before.slots);
    CHECK(family::at_rest().hands == 0);
}

/// Two conditions over one lock; whoever finds the lock abandoned tells all.
struct Buffer {
    mp::RLock lock;
    mp::Condition not_full{lock}, not_empty{lock};
    mp::RawValue<int> filled{0};
    static constexpr int room = 3;

    void repair() const {
        if (!lock.abandoned()) return;
        not_full.notify_all();
        not_empty.notify_all();
    }
    template <class Predicate>
    void await(mp::Condition const& condition, Board& board, Predicate predicate) const {
        repair();
        while (!predicate() && board.over == 0) {
            condition.wait(too_long);
            repair();
        }
    }
};

}  // namespace

TEST_CASE("Semaphore: a storm of kills loses no permit that is given back by undo",
          "[semaphore][storm]") {
    auto const hold = [](mp::BoundedSemaphore const& semaphore, Board& board) {
        semaphore.acquire();
        board.progress.fetch_add(1);
        semaphore.release();
    };
    auto const hold_two = [](mp::BoundedSemaphore const& semaphore, Board& board) {
        if (!semaphore.acquire(true, 5ms)) return;
        if (semaphore.acquire(false)) semaphore.release();
        board.progress.fetch_add(1);
        semaphore.release();
    };
    blow("semaphore", mp::BoundedSemaphore(3, {.undo = true}), hold, hold_two,
         [](mp::BoundedSemaphore const&) {},
         [](mp::BoundedSemaphore const& semaphore) {
             CHECK(semaphore.get_value() == 3);
             CHECK_THROWS_AS(semaphore.release(), mp::ValueError);
         });
}

TEST_CASE("Condition: a storm of kills loses no notification", "[condition][storm]") {
    auto const fill = [](Buffer const& buffer, Board& board) {
        std::scoped_lock guard(buffer.lock);
        buffer.await(buffer.not_full, board, [&] { return buffer.filled.value() < Buffer::room; });
        if (buffer.filled.value() < Buffer::room) buffer.filled.value() += 1;
        buffer.not_empty.notify();
    };
    auto const empty = [](Buffer const& buffer, Board& board) {
        std::scoped_lock guard(buffer.lock);
        buffer.await(buffer.not_empty, board, [&] { return buffer.filled.value() > 0; });
        if (buffer.filled.value() > 0) buffer.filled.value() -= 1;
        board.progress.fetch_add(1);
        buffer.not_full.notify();
    };
    auto const wake = [](Buffer const& buffer) {
        std::scoped_lock guard(buffer.lock);
        buffer.not_full.notify_all();
        buffer.not_empty.notify_all();
    };
    blow("condition", Buffer{}, fill, empty, wake, [&](Buffer const& buffer) {
        wake(buffer);
        std::scoped_lock guard(buffer.lock);
        CHECK_FALSE(buffer.not_empty.wait(0s));
        CHECK_FALSE(buffer.not_full.wait(0s));
        CHECK(buffer.filled.value() >= 0);
        CHECK(buffer.filled.value() <= Buffer::room);
    });
}

TEST_CASE("Barrier: a storm of kills breaks rounds, and the next ones go", "[barrier][storm]") {
    auto const meet = [](mp::Barrier const& barrier, Board& board) {
        try {
            if (barrier.wait(too_long) == 0) board.progress.fetch_add(1);
        } catch (mp::BrokenBarrierError const&) {
            barrier.reset();
        }
    };
    auto const wake = [](mp::Barrier const& barrier) { barrier.abort(); };
    blow("barrier", mp::Barrier(3), meet, meet, wake, [](mp::Barrier const& barrier) {
        barrier.reset();
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
        CHECK_THROWS_AS(barrier.wait(0s), mp::BrokenBarrierError);
    });
}

TEST_CASE("Event: a storm of kills loses no set", "[event][storm]") {
    auto const set = [](mp::Event const& event, Board&) {
        event.set();
        event.clear();
        std::this_thread::yield();
    };
    auto const wait = [](mp::Event const& event, Board& board) {
        if (event.wait(too_long)) board.progress.fetch_add(1);
    };
    auto const wake = [](mp::Event const& event) { event.set(); };
    blow("event", mp::Event(), set, wait, wake, [](mp::Event const& event) {
        event.set();
        CHECK(event.wait());
    });
}
