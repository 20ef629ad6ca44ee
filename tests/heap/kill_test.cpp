// SPDX-License-Identifier: MIT
// tests/heap/kill_test.cpp — a process is killed, or stopped, after every instruction of each step
// of the heap.
#include <multiprocessing/heap.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/stepper.hpp"

#include <optional>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace mp::heap;
using namespace test::stepper;

namespace {

std::int64_t fork_member() {
    ChildSlot slot{"member"};
    auto const result = heap::fork(slot);
    return result.side == mp::platform::ForkSide::child ? 0 : result.pid;
}

Hooks hooks() {
    Hooks h;
    h.fork_runner = fork_member;
    h.fork_victim = fork_member;
    return h;
}

Shared make_object(std::uint32_t links = 0) {
    return Shared::make(Kind::plain, links, 16, [](std::byte*) {});
}

Statistics baseline;
std::optional<Shared> common;

void note_baseline() {
    sweep_dead();
    baseline = family::at_rest();
}

/// Every free block can be found again: a hint for it stands at all three levels.
bool all_free_blocks_are_offered() {
    auto& arena = State::instance().arena;
    for (auto unit = arena.header().first_unit; unit < arena.header().unit_mark; ++unit) {
        auto const word = arena.unit(unit).load();
        if (UnitWord::phase(word) != UnitWord::slab) continue;
        auto const step = class_bytes(UnitWord::detail(word)) / granule_bytes;
        auto& hints = arena.hints(unit);
        for (std::uint64_t i = 0; i < words_per_unit / step; ++i) {
            auto const block = arena.block(unit * words_per_unit + i * step).load();
            if (BlockWord::phase(block) != BlockWord::free) continue;
            if ((hints.free_blocks[i / 64] >> i % 64 & 1) == 0 ||
                (hints.summary[i / 4096] >> i / 64 % 64 & 1) == 0 ||
                (arena.size_class(UnitWord::detail(word)).units[unit / 64] >> unit % 64 & 1) == 0)
                return false;
        }
    }
    return true;
}

/// Everything that the dead held is free again, and the heap still works.
void check_nothing_lost() {
    sweep_dead();
    expect(all_free_blocks_are_offered(), "a free block cannot be found any more");
    auto const now = family::at_rest();
    expect(now.hands == 0, "an intent is left");
    expect(now.slots == baseline.slots, "a process slot is left");
    expect(now.records == baseline.records, "a record is left");
    expect(now.claimed == 0, "a claimed block is left");
    expect(now.blocks == baseline.blocks, "a block is left, or one was lost");
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

Options options() {
    Options o;
    o.hooks = hooks();
    return o;
}

}  // namespace

TEST_CASE("Kill: a block is taken and freed", "[heap][kill]") {
    verify(run(scenario("alloc and free",
                        [] {
                            auto message = new_message(0, 100);
                            message.drop();
                        }),
               options()));
}

TEST_CASE("Kill: the last block of a unit is taken while others free theirs", "[heap][kill]") {
    static std::vector<Ref> taken;
    auto const free_one = [] {
        if (taken.empty()) return;
        Word word{taken.back().bits};
        taken.pop_back();
        auto l = ledger();
        l.drop_word(word);
        l.run();
    };
    auto s = scenario("the last block of a unit", [] {
        auto const last = new_message(0, 200'000);
        auto const next = new_message(0, 200'000);
    });
    s.setup = [] {
        note_baseline();
        for (int i = 0; i < 3; ++i) {
            auto message = new_message(0, 200'000);
            taken.push_back(message.ref());
            message.forget();
        }
    };
    s.survive = free_one;
    s.check = [free_one] {
        while (!taken.empty()) free_one();
        check_nothing_lost();
    };
    verify(run(s, options()));
}

TEST_CASE("Kill: a run of units is taken and freed", "[heap][kill]") {
    verify(run(scenario("alloc and free 2.5 MiB",
                        [] {
                            auto message = new_message(0, 2'600'000);
                            message.drop();
                        }),
               options()));
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
               options()));
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
               options()));
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
               options()));
}

TEST_CASE("Kill: pages are given back", "[heap][kill]") {
    auto s = scenario("trim", [] {
        { auto const message = new_message(0, 3000); }
        ledger().blocks().trim();
    });
    s.setup = [] {
        ledger().blocks().trim();  // few pages are dirty now
        note_baseline();
    };
    verify(run(s, options()));
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
               options()));
    common.reset();
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
    auto o = options();
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
