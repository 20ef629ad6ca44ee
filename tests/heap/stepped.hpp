// SPDX-License-Identifier: MIT
// tests/heap/stepped.hpp — what all tests share in which members of the tree are stepped and killed.
#pragma once

#include "heap/family.hpp"
#include "support/stepper.hpp"

#include <string>

namespace family {

/// As fork, for a child that knows the heap.
inline std::int64_t fork_member() {
    heap::ChildSlot slot{"member"};
    auto const result = heap::fork(slot);
    return result.side == platform::ForkSide::child ? 0 : result.pid;
}

/// Runner and victims are members of the tree.
inline test::stepper::Options stepped() {
    test::stepper::Options options;
    options.hooks.fork_runner = fork_member;
    options.hooks.fork_victim = fork_member;
    return options;
}

/// Every free block can be found again: a hint for it stands at all three levels. No unit is left
/// in somebody's hands.
inline void expect_all_free_blocks_are_offered() {
    using namespace heap;
    auto& arena = State::instance().arena;
    for (auto unit = arena.header().first_unit; unit < arena.header().unit_mark; ++unit) {
        auto const word = arena.unit(unit).load();
        test::stepper::expect(UnitWord::phase(word) != UnitWord::changing, "a unit is in change");
        if (UnitWord::phase(word) != UnitWord::slab) continue;
        auto const step = Hints::stride(UnitWord::detail(word));
        auto& hints = arena.hints(unit);
        for (std::uint64_t i = 0; i < words_per_unit / step; ++i) {
            auto const block = arena.block(unit * words_per_unit + i * step).load();
            if (BlockWord::phase(block) != BlockWord::free) continue;
            test::stepper::expect(
                (hints.free_blocks[i / 64] >> i % 64 & 1) != 0 &&
                    (hints.summary[i / 4096] >> i / 64 % 64 & 1) != 0 &&
                    (arena.size_class(UnitWord::detail(word)).units[unit / 64] >> unit % 64 & 1) !=
                        0,
                "a free block cannot be found any more");
        }
    }
}

/// Everything that the dead held is free again.
inline void expect_at_rest(heap::Statistics const& baseline) {
    using test::stepper::expect;
    heap::sweep_dead();
    expect_all_free_blocks_are_offered();
    auto const now = at_rest();
    expect(now.hands == 0, "an intent is left");
    expect(now.slots == baseline.slots, "a process slot is left");
    expect(now.records == baseline.records, "a record is left");
    expect(now.claimed == 0, "a claimed block is left");
    expect(now.blocks == baseline.blocks, std::to_string(baseline.blocks) + " blocks have become " +
                                              std::to_string(now.blocks) + ", " +
                                              std::to_string(now.bytes) + " bytes, not " +
                                              std::to_string(baseline.bytes));
}

}  // namespace family
