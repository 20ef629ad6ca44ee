// SPDX-License-Identifier: MIT
// multiprocessing/heap/statistics.hpp — what is in use in the arena, counted from the truth, not
// from counters.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/state.hpp>

namespace multiprocessing::heap {

/// Counts at one moment; exact only while the tree is at rest.
struct Statistics {
    std::uint64_t blocks = 0;       // live blocks, runs included
    std::uint64_t bytes = 0;        // their capacity
    std::uint64_t claimed = 0;      // blocks claimed to give pages back; 0 at rest
    std::uint64_t slots = 0;        // processes
    std::uint64_t records = 0;      // threads
    std::uint64_t hands = 0;        // hands, intents and destructions under way
    std::uint64_t backed = 0;       // bytes of memory behind the arena
    bool operator==(Statistics const&) const = default;
};

/// Blocks: never; walks all units in use (some 10 us per MiB).
inline Statistics statistics() {
    auto& state = State::instance();
    auto& arena = state.arena;
    auto& header = arena.header();
    Statistics result;
    Ledger ledger{arena, 0};
    for (auto unit = header.first_unit; unit < header.unit_mark.load(); ++unit) {
        auto const word = arena.unit(unit).load(std::memory_order_acquire);
        auto const first = unit * words_per_unit;
        if (UnitWord::phase(word) == UnitWord::free) continue;
        auto const run = !UnitWord::has_blocks(word);
        if (run && UnitWord::detail(word) != unit) continue;
        auto const step =
            run ? words_per_unit : class_bytes(UnitWord::detail(word)) / granule_bytes;
        for (auto granule = first; granule < first + words_per_unit; granule += step) {
            auto const block = arena.block(granule).load(std::memory_order_acquire);
            if (BlockWord::phase(block) == BlockWord::claimed) ++result.claimed;
            if (BlockWord::phase(block) != BlockWord::live) continue;
            ++result.blocks;
            result.bytes +=
                ledger.blocks().capacity(Ref::of(granule, BlockWord::generation(block)));
        }
    }
    for (std::uint32_t i = 1; i < header.slot_mark.load(); ++i)
        if (Slot::phase(arena.slot(i).state.load()) != Slot::free) ++result.slots;
    for (std::uint32_t i = 1; i < header.record_mark.load(); ++i) {
        auto& record = arena.record(i);
        if (i < max_slots ? i >= header.slot_mark.load() : !Record::in_use(record.state.load()))
            continue;
        if (i >= max_slots) ++result.records;
        for (auto& hand : record.hands) result.hands += hand.load() != 0 ? 1u : 0u;
        for (auto* word : {&record.op, &record.current, &record.freeing, &record.run_units,
                           &record.unit, &record.trim, &record.change})
            result.hands += word->load() != 0 ? 1u : 0u;
    }
    result.backed = arena.memory().resident();
    return result;
}

}  // namespace multiprocessing::heap
