// SPDX-License-Identifier: MIT
// multiprocessing/heap/runs.hpp — blocks larger than any class: runs of whole units.
// Layer 2 (heap).
//
// The record names the run before its first unit is claimed, and again before its units are given
// back. A run whose first block is live is whole; otherwise its units go back, the first one last.
// Where too few units are free, slabs in which nothing is used are made free on the way.
#pragma once

#include <multiprocessing/heap/units.hpp>

namespace multiprocessing::heap {

class Runs {
public:
    Runs(Arena& arena, std::uint16_t index)
        : arena_(arena),
          record_(arena.record(index)),
          index_(index),
          backing_(arena),
          units_(arena, index) {}

    Ref take(std::uint64_t bytes, Word& hand) {
        auto const count = (bytes + unit_bytes - 1) / unit_bytes;
        std::uint64_t refused = 0;
        for (bool const retire : {false, true})
            if (auto const ref = find(count, retire, hand, refused)) return ref;
        if (refused != 0) Backing::refuse(refused);
        throw MemoryError("the shared memory of this process tree has no room for " +
                          std::to_string(bytes) + " bytes in one piece");
    }

    void free(Ref ref, std::uint64_t unit_word) {
        auto const first = ref.unit();
        auto& word = arena_.block(ref.granule());
        auto seen = word.load(std::memory_order_acquire);
        if (BlockWord::is_live(seen, ref)) {
            auto const count = arena_.hints(first).run_units.load(relaxed);
            // From here on the record can finish: the units are ours to give back.
            auto const mine = UnitWord::pack(UnitWord::run, static_cast<std::uint32_t>(first),
                                             index_, UnitWord::generation(unit_word));
            arena_.unit(first).store(mine, std::memory_order_release);
            record_.run.store(first << 32 | UnitWord::generation(unit_word), relaxed);
            record_.run_units.store(count, std::memory_order_release);
            backing_.give_back_or_keep(ref.offset(), count * unit_bytes);
            word.store(BlockWord::pack(ref.generation() + 1, BlockWord::free, 0));
            recover();
        }
    }

    /// Gives back the units of the run in the record, unless it is whole.
    void recover() {
        drop_units();
        record_.run_units.store(0, std::memory_order_release);
    }

private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    Ref find(std::uint64_t count, bool retire, Word& hand, std::uint64_t& refused) {
        auto const& header = arena_.header();
        for (auto first = header.first_unit; first + count <= header.end_unit;) {
            auto const phase = UnitWord::phase(arena_.unit(first).load(std::memory_order_acquire));
            if (phase == UnitWord::run || (phase == UnitWord::slab && !retire)) {
                ++first;
                continue;
            }
            if (!backing_.reach(first + count)) {
                refused = first + count;
                break;
            }
            auto const taken = claim_units(first, count, retire);
            if (taken == count) return complete(first, count, hand);
            recover();
            first += taken + 1;
        }
        return {};
    }

    Ref complete(std::uint64_t first, std::uint64_t count, Word& hand) {
        auto const granule = first * words_per_unit;
        auto& word = arena_.block(granule);
        auto const ref = Ref::of(granule, BlockWord::generation(word.load()));
        arena_.hints(first).run_units.store(count, relaxed);
        for (auto unit = first; unit < first + count; ++unit) backing_.mark_dirty(unit);
        hand.store(ref.bits | Record::raw_bit, std::memory_order_release);
        word.store(BlockWord::pack(ref.generation(), BlockWord::live, index_));
        record_.run_units.store(0, std::memory_order_release);
        return ref;
    }

    /// Takes units one by one from `first`; returns how many it got. The record says so before.
    std::uint64_t claim_units(std::uint64_t first, std::uint64_t count, bool retire) {
        std::uint64_t taken = 0;
        for (; taken < count; ++taken) {
            auto& word = arena_.unit(first + taken);
            if (retire) units_.retire(first + taken);
            auto seen = word.load(std::memory_order_acquire);
            if (UnitWord::phase(seen) != UnitWord::free) break;
            if (taken == 0) {
                record_.run.store(first << 32 | UnitWord::generation(seen), relaxed);
                record_.run_units.store(count, std::memory_order_release);
            }
            auto const mine = UnitWord::pack(UnitWord::run, static_cast<std::uint32_t>(first),
                                             index_, UnitWord::generation(seen));
            if (!word.compare_exchange_strong(seen, mine)) break;
        }
        return taken;
    }

    /// The first unit goes last: while it is the run's, no other unit can belong to another run of
    /// the same name.
    void drop_units() {
        auto const count = record_.run_units.load(std::memory_order_acquire);
        if (count == 0) return;
        auto const run = record_.run.load(std::memory_order_acquire);
        auto const first = run >> 32;
        auto const generation = run & 0xfffffff;
        auto const head = arena_.unit(first).load(std::memory_order_acquire);
        if (UnitWord::phase(head) != UnitWord::run || UnitWord::owner(head) != index_ ||
            UnitWord::generation(head) != generation)
            return;
        auto const block = arena_.block(first * words_per_unit).load(std::memory_order_acquire);
        if (BlockWord::phase(block) == BlockWord::live) return;
        release_units(first, count);
    }

    void release_units(std::uint64_t first, std::uint64_t count) {
        for (auto unit = first + count; unit-- > first;) {
            auto& word = arena_.unit(unit);
            auto seen = word.load(std::memory_order_acquire);
            if (UnitWord::phase(seen) == UnitWord::run && UnitWord::detail(seen) == first)
                word.compare_exchange_strong(
                    seen, UnitWord::pack(UnitWord::free, 0, 0, UnitWord::next_generation(seen)));
        }
    }

    Arena& arena_;
    Record& record_;
    std::uint16_t index_;
    Backing backing_;
    Units units_;
};

}  // namespace multiprocessing::heap
