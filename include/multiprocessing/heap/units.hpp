// SPDX-License-Identifier: MIT
// multiprocessing/heap/units.hpp — units become slabs of a class, and free again when all their
// blocks are.
// Layer 2 (heap).
//
//   free -> slab       one compare-and-swap
//   slab -> changing   the record names the unit before. From here on nobody takes a block in it
//        -> free       every block was seen free and got its next generation; next unit generation
//        -> slab       one was not: back, and its hints are made anew
//   free -> changing   to clear a unit that was something else before its blocks become segments,
//        -> slab       or to give its pages back: -> free
//
// Who takes a block reads its word, then the unit's, then swaps the block's word. Either the swap
// comes before the change has seen that block, which then is in use, so the unit stays a slab; or
// it comes after, and fails, since the generation is another one. So a unit that is free has no
// block in use, no block word of an earlier life can ever become live, and a Ref from an earlier
// life stays stale: block words keep their generations whatever the unit becomes.
//
// A unit in change belongs to its owner's record. A sweeper of a dead owner does the change again:
// the state of the block words decides, not how far the dead one came. A slab of segments is never
// anything else again; see heap/ring_layout.hpp.
#pragma once

#include <multiprocessing/heap/backing.hpp>
#include <multiprocessing/heap/hints.hpp>

#include <cstring>

namespace multiprocessing::heap {

/// The units as one record changes them.
class Units {
public:
    Units(Arena& arena, std::uint16_t index)
        : arena_(arena),
          record_(arena.record(index)),
          index_(index),
          backing_(arena),
          hints_(arena, record_) {}

    /// One more slab of a class: of a free unit, else of one whose blocks are all free.
    /// Errors: MemoryError.
    void open(std::uint32_t size_class) {
        auto& header = arena_.header();
        auto const start = std::max(header.first_unit, header.unit_cursor.load(relaxed));
        std::uint64_t refused = 0;
        auto const open_free = [&](std::uint64_t unit, std::uint64_t end) {
            for (; unit < end && refused <= unit; ++unit) {
                auto const seen = arena_.unit(unit).load(std::memory_order_acquire);
                if (UnitWord::phase(seen) != UnitWord::free) continue;
                if (!backing_.reach(unit + 1)) refused = unit + 1;
                else if (become_slab(unit, seen, size_class)) return true;
            }
            return false;
        };
        if (open_free(start, header.end_unit)) return;
        auto const in_reach = refused != 0 ? refused - 1 : header.end_unit;
        refused = 0;
        if (open_free(header.first_unit, start)) return;
        for (auto unit = header.first_unit; unit < in_reach; ++unit)
            if (retire(unit) && open_free(unit, unit + 1)) return;
        if (in_reach != header.end_unit) Backing::refuse(in_reach + 1);
        throw MemoryError("the shared memory of this process tree is full: " +
                          std::to_string(header.reserved >> 20) +
                          " MiB; set MULTIPROCESSING_ARENA to more bytes");
    }

    /// Makes a slab free. False when a block in it is used, or somebody else is at it.
    bool retire(std::uint64_t unit) {
        auto const seen = arena_.unit(unit).load(std::memory_order_acquire);
        return is_unused_slab(unit, seen) && change(unit, seen, [] {});
    }

    /// Gives the memory of a unit back to the system if nothing in it is used. Returns how much.
    std::uint64_t give_back(std::uint64_t unit) {
        auto const seen = arena_.unit(unit).load(std::memory_order_acquire);
        auto const is_free = UnitWord::phase(seen) == UnitWord::free;
        if (is_free ? !backing_.is_dirty(unit) : !is_unused_slab(unit, seen)) return 0;
        auto const give = [&] {
            arena_.memory().give_back(unit * unit_bytes, unit_bytes);
            backing_.clean(unit, 0, unit_bytes);
        };
        return change(unit, seen, give) ? unit_bytes : 0;
    }

    /// Does again what a dead thread had begun.
    void recover() {
        if (auto const named = record_.change.load(std::memory_order_acquire)) {
            auto const unit = named - 1;
            auto const word = arena_.unit(unit).load(std::memory_order_acquire);
            if (UnitWord::phase(word) == UnitWord::changing && UnitWord::owner(word) == index_)
                free_or_slab(unit, word, [] {});
            else
                hints_.renew(unit);
            record_.change.store(0, std::memory_order_release);
        }
        hints_.recover();
    }

private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    bool become_slab(std::uint64_t unit, std::uint64_t seen, std::uint32_t size_class) {
        auto& word = arena_.unit(unit);
        auto const slab = UnitWord::pack(UnitWord::slab, size_class, index_,
                                         UnitWord::generation(seen));
        record_.change.store(unit + 1, std::memory_order_release);
        bool ours = false;
        if (size_class == segment_class && UnitWord::generation(seen) != 0) {
            // What it was before must not be taken for the words of a ring.
            ours = word.compare_exchange_strong(seen, changing(seen, size_class));
            if (ours) {
                std::memset(arena_.at<std::byte>(unit * unit_bytes), 0, unit_bytes);
                word.store(slab);
            }
        } else {
            ours = word.compare_exchange_strong(seen, slab);
        }
        if (ours) {
            hints_.renew(unit);
            arena_.header().unit_cursor.store(unit, relaxed);
        }
        record_.change.store(0, std::memory_order_release);
        return ours;
    }

    std::uint64_t changing(std::uint64_t word, std::uint32_t size_class) const {
        return UnitWord::pack(UnitWord::changing, size_class, index_, UnitWord::generation(word));
    }

    bool is_unused_slab(std::uint64_t unit, std::uint64_t word) const {
        if (UnitWord::phase(word) != UnitWord::slab || UnitWord::detail(word) == segment_class)
            return false;
        auto const step = Hints::stride(UnitWord::detail(word));
        for (std::uint64_t at = 0; at < words_per_unit; at += step)
            if (BlockWord::phase(arena_.block(unit * words_per_unit + at).load(relaxed)) !=
                BlockWord::free)
                return false;
        return true;
    }

    /// Makes the unit free; when nothing in it can be used any more, does `before` that.
    template <class Before>
    bool change(std::uint64_t unit, std::uint64_t seen, Before before) {
        // In a unit that is free already, few words need be looked at: none is in use.
        auto const size_class =
            UnitWord::phase(seen) == UnitWord::slab ? UnitWord::detail(seen) : size_classes - 1;
        auto const ours = changing(seen, size_class);
        record_.change.store(unit + 1, std::memory_order_release);
        auto const freed = arena_.unit(unit).compare_exchange_strong(seen, ours) &&
                           free_or_slab(unit, ours, before);
        record_.change.store(0, std::memory_order_release);
        return freed;
    }

    template <class Before>
    bool free_or_slab(std::uint64_t unit, std::uint64_t word, Before before) {
        auto const size_class = UnitWord::detail(word);
        if (close_blocks(unit, Hints::stride(size_class))) {
            before();
            hints_.clear(unit, size_class);
            arena_.unit(unit).store(
                UnitWord::pack(UnitWord::free, 0, 0, UnitWord::next_generation(word)));
            return true;
        }
        arena_.unit(unit).store(
            UnitWord::pack(UnitWord::slab, size_class, index_, UnitWord::generation(word)));
        hints_.renew(unit);
        return false;
    }

    /// The next generation for every block, so that nobody who looked before can take it.
    /// False when one is in use.
    bool close_blocks(std::uint64_t unit, std::uint64_t step) {
        for (std::uint64_t at = 0; at < words_per_unit; at += step) {
            auto& block = arena_.block(unit * words_per_unit + at);
            auto seen = block.load(std::memory_order_acquire);
            if (BlockWord::phase(seen) != BlockWord::free ||
                !block.compare_exchange_strong(
                    seen, BlockWord::pack(BlockWord::generation(seen) + 1, BlockWord::free, 0)))
                return false;
        }
        return true;
    }

    Arena& arena_;
    Record& record_;
    std::uint16_t index_;
    Backing backing_;
    Hints hints_;
};

}  // namespace multiprocessing::heap
