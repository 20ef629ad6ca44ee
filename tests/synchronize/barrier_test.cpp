// SPDX-License-Identifier: MIT
#include <multiprocessing/synchronize/barrier.hpp>

#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/crew.hpp"
#include "synchronize/stage.hpp"

#include <atomic>
#include <stdexcept>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

constexpr int parties = 5;

/// Counts of all members, some by name.
using Counts = mp::RawArray<int>;
std::atomic_ref<int> at(Counts const& counts, std::size_t i) {
    return std::atomic_ref<int>(counts[i]);
}

void must(bool condition, char const* what) {
    if (!condition) throw std::runtime_error(what);
}

/// The calling thread takes part.
template <class F, class... A>
void run(test::Crew& crew, F function, A const&... arguments) {
    crew.start(parties - 1, function, arguments...);
    function(arguments...);
    CHECK(crew.join() == 0);
}

void pass(mp::Barrier barrier, Counts counts, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        at(counts, 0).fetch_add(1);
        must(at(counts, 1).load() == i * parties, "a party went on before all had arrived");
        barrier.wait();
        at(counts, 1).fetch_add(1);
        must(at(counts, 0).load() == (i + 1) * parties, "a party went on too early");
        barrier.wait();
    }
    must(!barrier.broken(), "the barrier is broken");
}

void note_index(mp::Barrier barrier, Counts counts) {
    at(counts, static_cast<std::size_t>(barrier.wait())).fetch_add(1);
}

}  // namespace

// CPython: _TestBarrier.test_barrier, test_barrier_10
TEST_CASE("Barrier: all parties pass in lockstep", "[barrier][threads]") {
    auto crew = test::each_crew();
    auto const rounds = GENERATE(1, 10);
    mp::Barrier barrier(parties, {.timeout = 30s});
    Counts counts(2);
    run(crew, pass, barrier, counts, rounds);
    CHECK(barrier.n_waiting() == 0);
    CHECK(barrier.parties() == parties);
}

// CPython: _TestBarrier.test_wait_return
TEST_CASE("Barrier: each party gets an index of its own", "[barrier][threads]") {
    auto crew = test::each_crew();
    mp::Barrier barrier(parties, {.timeout = 30s});
    Counts counts(parties);
    run(crew, note_index, barrier, counts);
    for (std::size_t i = 0; i < parties; ++i) CHECK(counts[i] == 1);
}

namespace {

void count_action(Counts counts) { at(counts, 0).fetch_add(1); }

void expect_actions(mp::Barrier barrier, Counts counts) {
    for (int i = 1; i <= 3; ++i) {
        barrier.wait();
        must(at(counts, 0).load() == i, "not one action a round");
        barrier.wait();
        must(at(counts, 0).load() == i + 1, "not one action a round");
        at(counts, 1).fetch_add(1);
        barrier.wait();
        must(at(counts, 0).load() == i + 2, "not one action a round");
        barrier.wait();
        if (i == 1) break;
    }
}

}  // namespace

// CPython: _TestBarrier.test_action
TEST_CASE("Barrier: the action runs once a round, before anybody goes on", "[barrier][threads]") {
    auto crew = test::each_crew();
    Counts counts(2);
    mp::Barrier barrier(parties, mp::partial(count_action, counts), 30s);
    run(crew, expect_actions, barrier, counts);
    CHECK(counts[0] == 4);
    CHECK(counts[1] == parties);
}

namespace {

void abort_in_the_middle(mp::Barrier barrier, Counts counts) {
    try {
        if (barrier.wait() == parties / 2) return barrier.abort();
        barrier.wait();
        at(counts, 0).fetch_add(1);
    } catch (mp::BrokenBarrierError const&) {
        at(counts, 1).fetch_add(1);
    }
}

void reset_in_the_middle(mp::Barrier barrier, Counts counts) {
    if (barrier.wait() == parties / 2) {
        while (barrier.n_waiting() < parties - 1) std::this_thread::yield();
        barrier.reset();
    } else {
        try {
            barrier.wait();
            at(counts, 0).fetch_add(1);
        } catch (mp::BrokenBarrierError const&) {
            at(counts, 1).fetch_add(1);
        }
    }
    barrier.wait();
    at(counts, 2).fetch_add(1);
}

void abort_and_reset(mp::Barrier barrier, mp::Barrier other, Counts counts) {
    abort_in_the_middle(barrier, counts);
    if (other.wait() == parties / 2) barrier.reset();
    other.wait();
    barrier.wait();
    at(counts, 2).fetch_add(1);
}

}  // namespace

// CPython: _TestBarrier.test_abort
TEST_CASE("Barrier: abort breaks it for all", "[barrier][threads]") {
    auto crew = test::each_crew();
    mp::Barrier barrier(parties, {.timeout = 30s});
    Counts counts(2);
    run(crew, abort_in_the_middle, barrier, counts);
    CHECK(counts[0] == 0);
    CHECK(counts[1] == parties - 1);
    CHECK(barrier.broken());
    CHECK_THROWS_AS(barrier.wait(), mp::BrokenBarrierError);
}

// CPython: _TestBarrier.test_reset
TEST_CASE("Barrier: reset frees those who wait, and it works again", "[barrier][threads]") {
    auto crew = test::each_crew();
    mp::Barrier barrier(parties, {.timeout = 30s});
    Counts counts(3);
    run(crew, reset_in_the_middle, barrier, counts);
    CHECK(counts[0] == 0);
    CHECK(counts[1] == parties - 1);
    CHECK(counts[2] == parties);
}

// CPython: _TestBarrier.test_abort_and_reset
TEST_CASE("Barrier: a broken one works again after reset", "[barrier][threads]") {
    auto crew = test::each_crew();
    mp::Barrier barrier(parties, {.timeout = 30s}), other(parties);
    Counts counts(3);
    run(crew, abort_and_reset, barrier, other, counts);
    CHECK(counts[0] == 0);
    CHECK(counts[1] == parties - 1);
    CHECK(counts[2] == parties);
}

namespace {

/// One comes only when the others' time is up.
void be_late(mp::Barrier barrier, Counts counts, std::optional<std::chrono::milliseconds> timeout) {
    if (barrier.wait(30s) == parties / 2)
        while (at(counts, 0).load() < parties - 1) std::this_thread::yield();
    try {
        barrier.wait(timeout);
    } catch (mp::BrokenBarrierError const&) {
        at(counts, 0).fetch_add(1);
    }
}

}  // namespace

// CPython: _TestBarrier.test_timeout, test_default_timeout
TEST_CASE("Barrier: a time-out breaks it for all", "[barrier][threads]") {
    auto crew = test::each_crew();
    bool const by_default = GENERATE(false, true);
    mp::Barrier barrier(parties, {.timeout = by_default ? mp::Timeout(200ms) : mp::Timeout()});
    Counts counts(1);
    run(crew, be_late, barrier, counts,
        by_default ? std::nullopt : std::optional<std::chrono::milliseconds>(200));
    CHECK(counts[0] == parties);
    CHECK(barrier.broken());
}

// CPython: _TestBarrier.test_single_thread
TEST_CASE("Barrier: one party never waits", "[barrier][threads]") {
    mp::Barrier barrier(1);
    CHECK(barrier.wait() == 0);
    CHECK(barrier.wait(0s) == 0);
}

namespace {

void pass_often(mp::Barrier barrier, int rounds, mp::Queue<int> queue) {
    for (int i = 0; i < rounds; ++i) {
        barrier.wait();
        queue.put(i);
    }
}

}  // namespace

// CPython: _TestBarrier.test_thousand (a queue instead of a pipe with a lock)
TEST_CASE("Barrier: a thousand rounds stay in lockstep", "[barrier][threads]") {
    auto crew = test::each_crew();
    mp::Barrier barrier(parties);
    mp::Queue<int> queue;
    crew.start(parties, pass_often, barrier, 1000, queue);
    // A party may put after a wait and be two waits behind nobody: rounds come grouped.
    int last = 0;
    bool grouped = true;
    std::vector<int> seen(1000);
    for (int i = 0; i < 1000 * parties; ++i) {
        auto const round = queue.get(true, 30s);
        grouped = grouped && round >= last;
        last = round;
        ++seen[static_cast<std::size_t>(round)];
    }
    CHECK(grouped);
    CHECK(std::ranges::count(seen, parties) == 1000);
    CHECK(crew.join() == 0);
}

TEST_CASE("Barrier: texts and errors", "[barrier][threads]") {
    mp::Barrier barrier(2);
    auto const text = fmt::format("{}", barrier);
    CHECK(text.starts_with("<multiprocessing.synchronize.Barrier at 0x"));
    CHECK(text.ends_with(": waiters=0/2>"));
    std::thread waiter([&] { CHECK_THROWS_AS(barrier.wait(), mp::BrokenBarrierError); });
    while (barrier.n_waiting() != 1) std::this_thread::yield();
    CHECK(fmt::format("{:r}", barrier).ends_with(": waiters=1/2>"));
    barrier.abort();
    barrier.abort();
    waiter.join();
    CHECK(fmt::format("{}", barrier).ends_with(": broken>"));
    CHECK_THROWS_WITH(barrier.wait(), "barrier is broken");
    barrier.reset();
    barrier.reset();
    CHECK_FALSE(barrier.broken());
    CHECK_THROWS_AS(barrier.wait(0s), mp::BrokenBarrierError);
    CHECK_THROWS_AS(mp::Barrier(0), mp::ValueError);
    CHECK_THROWS_AS(mp::Barrier::from(mp::Lock().shared()), mp::UnpicklingError);
}

TEST_CASE("Barrier: an action that throws breaks it, and comes out in the last",
          "[barrier][threads]") {
    int calls = 0;
    mp::Barrier barrier(2, [&] {
        if (++calls == 1) throw std::out_of_range("action");
    });
    std::atomic<int> threw{0}, broken{0};
    auto const wait = [&] {
        try {
            barrier.wait();
        } catch (std::out_of_range const&) {
            ++threw;
        } catch (mp::BrokenBarrierError const&) {
            ++broken;
        }
    };
    std::thread other(wait);
    wait();
    other.join();
    CHECK(threw == 1);
    CHECK(broken == 1);
    CHECK(barrier.broken());
    barrier.reset();
    std::thread again(wait);
    wait();
    again.join();
    CHECK(calls == 2);
    CHECK(broken == 1);
}

TEST_CASE("Barrier: an action that captures is inherited by fork only", "[barrier][fork]") {
    int calls = 0;
    mp::Barrier barrier(1, [&] { ++calls; });
    auto const child = family::start([&] {
        barrier.wait();
        return calls == 1 ? 0 : 1;
    });
    CHECK(child.join() == 0);
    CHECK(calls == 0);
    mp::Queue<mp::Barrier> queue;
    CHECK_THROWS_AS(queue.put(barrier), mp::PicklingError);
    mp::Barrier plain(1, [] {});
    queue.put(plain);
    CHECK(queue.get() == plain);
}

TEST_CASE("Barrier: a party that is killed breaks it, by name", "[barrier][fork]") {
    auto const before = family::at_rest();
    {
        mp::Barrier barrier(3);
        test::Stage stage;
        auto const party = [&] {
            return family::start([&] {
                try {
                    stage.add();
                    barrier.wait();
                } catch (mp::BrokenBarrierError const&) {
                    return 3;
                }
                return 0;
            });
        };
        auto const victim = party();
        while (barrier.n_waiting() != 1) std::this_thread::yield();
        auto const expected = fmt::format(
            "barrier is broken: process {} ended while the others waited for it", victim.pid);
        SECTION("while others wait") {
            auto const other = party();
            while (barrier.n_waiting() != 2) std::this_thread::yield();
            victim.kill();
            CHECK(other.join() == 3);
            CHECK_THROWS_WITH(barrier.wait(), expected);
        }
        SECTION("before others come") {
            victim.kill();
            CHECK_THROWS_WITH(barrier.wait(), expected);
        }
        CHECK(barrier.broken());
        barrier.reset();
        auto const a = party(), b = party();
        barrier.wait();
        CHECK(a.join() == 0);
        CHECK(b.join() == 0);
        CHECK_FALSE(barrier.broken());
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Barrier: one whose last party is killed in the action is broken", "[barrier][fork]") {
    test::Stage stage;
    mp::Barrier barrier(2, [&] {
        stage.reach(1);
        stage.await(2);
    });
    std::string text;
    std::thread waiter([&] {
        try {
            barrier.wait(50ms);
        } catch (mp::BrokenBarrierError const& error) {
            text = error.what();
        }
    });
    while (barrier.n_waiting() != 1) std::this_thread::yield();
    auto const last = family::start([&] {
        barrier.wait();
        return 0;
    });
    try {
        stage.await(1);
        last.kill();
    } catch (std::exception const&) {  // the waiter's time was up before the last one came
        last.join();
    }
    waiter.join();
    CHECK(barrier.broken());
    CHECK(text.starts_with("barrier is broken"));
}
