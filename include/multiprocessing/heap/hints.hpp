// SPDX-License-Identifier: MIT
// multiprocessing/heap/hints.hpp — where free blocks may be found: a bit per block, per word of
// these, per unit.
// Layer 2 (heap).
//
// A free block is offered at all three levels, from below; a bit is cleared by whoever found
// nothing below it, who then looks again. A bit too many costs a look. A bit too few would lose a
// block, so a thread that dies between clearing and looking has the unit in its record.
#pragma once

#include <multiprocessing/heap/arena.hpp>

namespace multiprocessing::heap {

/// The hints of all units as changed by one record.
class Hints {
public:
    Hints(Arena& arena, Record& record) : arena_(arena), record_(record) {}

    /// How many granules lie from one block of a class to the next.
    static std::uint64_t stride(std::uint32_t size_class) {
        return class_bytes(size_class) / granule_bytes;
    }

    /// Lets others find a free block. Hints that stand already are left alone, so a block that goes
    /// back and forth costs one atomic write.
    void offer(std::uint64_t unit, std::uint64_t granule, std::uint32_t size_class) {
        auto& hints = arena_.hints(unit);
        auto const index = granule / stride(size_class);
        set(hints.free_blocks[index / 64], index % 64);
        set(hints.summary[index / 64 / 64], index / 64 % 64);
        set(arena_.size_class(size_class).units[unit / 64], unit % 64);
    }

    /// Clears a hint; if meanwhile the thing became true again, sets it again.
    template <class StillTrue>
    void clear_then_look(std::uint64_t unit, Word& hint, std::uint64_t bit, StillTrue still_true) {
        record_.unit.store(unit + 1, std::memory_order_release);
        auto const mask = std::uint64_t{1} << bit;
        hint.fetch_and(~mask);
        if (still_true()) hint.fetch_or(mask);
        record_.unit.store(0, std::memory_order_release);
    }

    /// Offers every free block of a slab.
    void renew(std::uint64_t unit) {
        auto const word = arena_.unit(unit).load();
        if (UnitWord::phase(word) != UnitWord::slab) return;
        auto const size_class = UnitWord::detail(word);
        auto const step = stride(size_class);
        auto& hints = arena_.hints(unit);
        for (std::uint64_t first = 0; first < words_per_unit / step; first += 64) {
            std::uint64_t found = 0;
            for (auto i = first; i < first + 64 && i < words_per_unit / step; ++i) {
                auto const block = arena_.block(unit * words_per_unit + i * step).load();
                if (BlockWord::phase(block) == BlockWord::free)
                    found |= std::uint64_t{1} << i % 64;
            }
            if (found == 0) continue;
            hints.free_blocks[first / 64].fetch_or(found);
            set(hints.summary[first / 64 / 64], first / 64 % 64);
            set(arena_.size_class(size_class).units[unit / 64], unit % 64);
        }
    }

    /// Of a unit that only the caller can change.
    void clear(std::uint64_t unit, std::uint32_t size_class) {
        auto& hints = arena_.hints(unit);
        arena_.size_class(size_class).units[unit / 64].fetch_and(~(std::uint64_t{1} << unit % 64));
        for (auto& word : hints.summary) word.store(0, std::memory_order_relaxed);
        for (auto& word : hints.free_blocks) word.store(0, std::memory_order_relaxed);
    }

    /// What a dead thread may have cleared without looking again.
    void recover() {
        if (auto const unit = record_.unit.load(std::memory_order_acquire)) {
            renew(unit - 1);
            record_.unit.store(0, std::memory_order_release);
        }
    }

private:
    static void set(Word& word, std::uint64_t bit) {
        auto const mask = std::uint64_t{1} << bit;
        if ((word.load() & mask) == 0) word.fetch_or(mask);
    }

    Arena& arena_;
    Record& record_;
};

}  // namespace multiprocessing::heap
