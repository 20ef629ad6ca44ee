// SPDX-License-Identifier: MIT
// tests/heap/kill_heap_test.cpp — a process is killed, or stopped, after every instruction of
// each step of the heap.
#include <multiprocessing/heap.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <optional>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace mp::heap;
using namespace test::stepper;

namespace {

Shared make_object(std::uint32_t links = 0) {
    return Shared::make(Kind::plain, links, 16, [](std::byte*) {});
}

Statistics baseline;
std::optional<Shared> common;

void note_baseline() {
    sweep_dead();
    baseline = family::at_rest();
}

/// Everything that the dead held is free again, and the heap still works.
void check_nothing_lost() {
    family::expect_at_rest(baseline);
    auto message = new_message(1, 200);
    auto const object = make_object();
    link(message.header(), 0, object);
    message.drop();
    expect(family::at_rest().blocks == baseline.blocks + 1, "the heap does not work any more");
}

/// What the survivors do while the victim is stopped: the same things, many times.
void use_heap() {
    for (int i = 0; i < 40; ++i) {
        auto message = new_message(1, static_cast<std::uint64_t>(i) * 40);
        auto const object = make_object();
        link(message.header(), 0, object);
        if (common) {
            auto second = new_message(1, 0);
            link(second.header(), 0, *common);
        }
    }
}

Scenario scenario(std::string name, std::function<void()> operation) {
    Scenario s;
    s.name = std::move(name);
    s.setup = note_baseline;
    s.warm_up = operation;
    s.operation = operation;
    s.survive = use_heap;
    s.check = check_nothing_lost;
    return s;
}

/// All modes with one victim: one that goes on after others were there, too, and is killed then.
Options with_going_on() {
    auto o = family::stepped();
    o.modes.push_back(Mode::e_stop_go_on_kill);
    return o;
}

}  // namespace

TEST_CASE("Kill: a block is taken and freed", "[heap][kill]") {
    verify(run(scenario("alloc and free",
                        [] {
                            auto message = new_message(0, 100);
                            message.drop();
                        }),
               with_going_on()));
}

namespace {

std::vector<Ref> taken;  // by the survivors

void free_one() {
    if (taken.empty()) return;
    Word word{taken.back().bits};
    taken.pop_back();
    auto l = ledger();
    l.drop_word(word);
    l.run();
}

/// The survivors have taken so many blocks of 256 KiB, of which four are a unit.
Scenario beside_taken(std::string name, int count, std::function<void()> operation) {
    auto s = scenario(std::move(name), std::move(operation));
    s.setup = [count] {
        while (!taken.empty()) free_one();
        note_baseline();
        // First of all so many that the next unit is open whenever a trial begins.
        for (int const n : {8, count}) {
            while (!taken.empty()) free_one();
            for (int i = 0; i < n; ++i) {
                auto message = new_message(0, 200'000);
                taken.push_back(message.ref());
                message.forget();
            }
        }
    };
    s.survive = free_one;
    s.check = [] {
        sweep_dead();
        family::expect_all_free_blocks_are_offered();  // before those below offer their unit anew
        while (!taken.empty()) free_one();
        check_nothing_lost();
    };
    return s;
}

}  // namespace

TEST_CASE("Kill: the last block of a unit is taken while others free theirs", "[heap][kill]") {
    verify(run(beside_taken("the last block of a unit", 3,
                            [] {
                                auto const last = new_message(0, 200'000);
                                auto const next = new_message(0, 200'000);
                            }),
               with_going_on()));
}

TEST_CASE("Kill: a full unit is passed over while others free blocks in it", "[heap][kill]") {
    auto s = beside_taken("a full unit", 4, [] { auto const next = new_message(0, 200'000); });
    s.warm_up = [] { auto const other = new_message(0, 100'000); };  // leaves the hints as they are
    verify(run(s, with_going_on()));
}

TEST_CASE("Kill: a run of units is taken and freed", "[heap][kill]") {
    verify(run(scenario("alloc and free 2.5 MiB",
                        [] {
                            auto message = new_message(0, 2'600'000);
                            message.drop();
                        }),
               with_going_on()));
}

TEST_CASE("Kill: an object is made, linked, adopted and dropped", "[heap][kill]") {
    verify(run(scenario("a handle through a message",
                        [] {
                            auto message = new_message(1, 8);
                            {
                                auto const object = make_object();
                                link(message.header(), 0, object);
                            }
                            auto const again = Shared::adopt(message.header().link(0).load());
                            message.drop();
                        }),
               family::stepped()));
}

TEST_CASE("Kill: references to an object that others use", "[heap][kill]") {
    common = make_object();
    verify(run(scenario("references of two processes",
                        [] {
                            auto message = new_message(2, 8);
                            link(message.header(), 0, *common);
                            link(message.header(), 1, *common);
                            message.drop();
                        }),
               family::stepped()));
    common.reset();
}

TEST_CASE("Kill: a tree of objects is destroyed", "[heap][kill]") {
    verify(run(scenario("destruction of objects within objects",
                        [] {
                            auto outer = make_object(2);
                            auto inner = make_object(1);
                            link(inner.header(), 0, make_object());
                            link(outer.header(), 0, inner);
                            auto message = new_message(1, 8);
                            link(message.header(), 0, inner);
                            link_message(outer.header(), 1, std::move(message));
                            inner = Shared{};
                            outer = Shared{};
                        }),
               family::stepped()));
}

TEST_CASE("Kill: pages are given back", "[heap][kill]") {
    // Blocks that keep the slabs of small ones: to retire these takes very many steps.
    auto keeper = Shared::make(Kind::plain, 8, 0, [](std::byte*) {});
    for (std::uint32_t i = 0; i < 5; ++i)
        link_message(keeper.header(), i, new_message(0, 64u << i));
    auto const give = [] {
        { auto const message = new_message(0, 3000); }
        ledger().blocks().trim();
    };
    auto const set_up = [] {
        ledger().blocks().trim();  // few pages are dirty now
        note_baseline();
    };
    auto s = scenario("trim of a whole unit", give);
    s.setup = set_up;
    verify(run(s, family::stepped()));

    link_message(keeper.header(), 5, new_message(0, 3000));
    s = scenario("trim of a page", give);
    s.setup = set_up;
    verify(run(s, family::stepped()));
}

TEST_CASE("Kill: a child is prepared", "[heap][kill]") {
    common = make_object();
    verify(run(scenario("a child's slot and references",
                        [] {
                            ChildSlot child{"never born"};
                            child.leave(new_message(0, 64));
                            std::lock_guard guard(State::instance().mutex);
                            child.copy_references();
                        }),
               family::stepped()));
    common.reset();
}

namespace {

std::optional<ChildSlot> offered;

}  // namespace

// Killed with its parent, so that nobody is left who knows that it never began.
TEST_CASE("Kill: a child takes its slot", "[heap][kill]") {
    Scenario s;
    s.name = "a child takes its slot";
    s.setup = [] {
        offered.reset();
        note_baseline();
        offered.emplace("taken");
    };
    s.warm_up = [] { (void)mp::platform::this_process(); };
    s.operation = [] { slots::adopt(State::instance(), offered->stamp()); };
    s.check = [] {
        auto const stamp = offered->stamp();
        auto const state = slot_of(stamp).state.load();
        if (Slot::generation(state) == stamp.generation && Slot::phase(state) == Slot::prepared) {
            offered.reset();
        } else {
            offered->started();
            sweep_dead();
            expect(!is_current(stamp), "the slot of a dead process is taken for ever");
        }
        check_nothing_lost();
    };
    auto options = family::stepped();
    options.modes = {Mode::a_kill};
    verify(run(s, options));
}

namespace {

SlotStamp dead;

/// A process that died with everything: holdings, hands, a change of references half done, a
/// destruction half done, a child prepared.
void make_dead() {
    note_baseline();
    auto const child = family::start([] {
        static auto const kept = make_object(1);
        link(kept.header(), 0, *common);
        static auto hand = new_message(1, 500);
        link(hand.header(), 0, kept);
        static ChildSlot prepared{"never born"};
        prepared.leave(new_message(0, 32));
        auto l = ledger();
        auto doomed = new_message(1, 10);
        link(doomed.header(), 0, *common);
        l.descend(doomed.ref());
        doomed.forget();
        mp::platform::exit_process(0);
        return 0;
    });
    if (mp::platform::wait_process(child.pid, 10'000'000'000) != 0)
        throw std::runtime_error("the one to be swept did not end as it should");
    dead = child.stamp;
}

}  // namespace

TEST_CASE("Kill: the sweeper itself", "[heap][kill]") {
    common = make_object();
    Scenario s;
    s.name = "sweep of a dead process";
    s.setup = make_dead;
    s.warm_up = [] {};
    s.operation = [] { sweep(dead); };
    s.survive = use_heap;
    s.check = check_nothing_lost;
    auto o = family::stepped();
    verify(run(s, o));

    s.name = "sweep, and the sweep of its sweeper";
    s.second_warm_up = [] {};
    s.second_operation = [] {
        sweep_dead();
    };
    o.modes = {Mode::d_pair};
    o.max_pairs = 1'200;
    verify(run(s, o));
    common.reset();
}
