// SPDX-License-Identifier: MIT
// multiprocessing/heap/blocks.hpp — the allocator: blocks of power-of-two sizes and runs of units.
// Layer 2 (heap).
//
// States of a block: free -> live (one compare-and-swap that names the taker) -> free with the next
// generation. Who dies where:
//   before the swap    the hand names a block that is not ours: nothing to do
//   after it           the hand's block is live and ours: freed
//   in the hints       the record names the unit: its hints are made anew from the block words
// A unit may become a slab of another class between two looks, but not while a block in it is live
// or claimed: whoever takes one reads the unit's word once more in between (see heap/units.hpp).
// Nobody ever waits for anybody; hints may lie, block words do not.
#pragma once

#include <multiprocessing/heap/runs.hpp>

#include <algorithm>
#include <bit>

namespace multiprocessing::heap {

/// The allocator as seen by one record, which may be the caller's own or a dead thread's that the
/// caller goes on with. Nothing here is kept between calls.
class Blocks {
public:
    Blocks(Arena& arena, std::uint16_t index)
        : arena_(arena),
          record_(arena.record(index)),
          index_(index),
          backing_(arena),
          hints_(arena, record_),
          units_(arena, index),
          runs_(arena, index) {}

    /// Takes a block of at least `bytes` and names it in `hand` with Record::raw_bit set.
    /// Never blocks. Errors: MemoryError when the arena or a limit of the system is reached.
    Ref allocate(std::uint64_t bytes, Word& hand) {
        if (bytes > largest_class_bytes) return runs_.take(bytes, hand);
        auto const blocks = (std::max(bytes, granule_bytes) + granule_bytes - 1) / granule_bytes;
        return take(static_cast<std::uint32_t>(std::bit_width(blocks - 1)), hand);
    }
    Ref allocate_segment(Word& hand) { return take(segment_class, hand); }

    /// Gives a block back. The caller has it in Record::freeing; doing it twice is harmless.
    void free(Ref ref) {
        auto const unit = arena_.unit(ref.unit()).load(std::memory_order_acquire);
        if (UnitWord::phase(unit) == UnitWord::run) return runs_.free(ref, unit);
        if (!UnitWord::has_blocks(unit)) return;  // given back already
        auto& word = arena_.block(ref.granule());
        auto seen = word.load(std::memory_order_acquire);
        if (BlockWord::is_live(seen, ref)) {
            auto const bytes = class_bytes(UnitWord::detail(unit));
            if (bytes >= page) backing_.give_back_or_keep(ref.offset(), bytes);
            word.compare_exchange_strong(seen, BlockWord::pack(ref.generation() + 1,
                                                               BlockWord::free, 0));
        }
        hints_.offer(ref.unit(), ref.granule() % words_per_unit, UnitWord::detail(unit));
    }

    /// Usable bytes of a live block.
    std::uint64_t capacity(Ref ref) const {
        auto const unit = arena_.unit(ref.unit()).load(std::memory_order_acquire);
        return UnitWord::phase(unit) == UnitWord::run
                   ? arena_.hints(ref.unit()).run_units.load(std::memory_order_relaxed) * unit_bytes
                   : class_bytes(UnitWord::detail(unit));
    }

    bool is_live(Ref ref) const {
        return ref.granule() < arena_.header().end_unit * words_per_unit &&
               BlockWord::is_live(arena_.block(ref.granule()).load(std::memory_order_acquire), ref);
    }
    /// Live, and taken by this record: how a sweep tells a block taken from one only looked at.
    bool is_taken_by_us(Ref ref) const {
        auto const word = arena_.block(ref.granule()).load(std::memory_order_acquire);
        return BlockWord::is_live(word, ref) && BlockWord::owner(word) == index_;
    }

    /// Finishes what a dead thread had begun in the allocator itself.
    void recover() {
        if (auto const trim = record_.trim.load(std::memory_order_acquire)) {
            unclaim((trim >> 16) - 1, trim & 0xffff);
            record_.trim.store(0, std::memory_order_release);
        }
        runs_.recover();
        units_.recover();
    }

    /// Makes a slab free for other uses if no block in it is used. For tests.
    bool retire(std::uint64_t unit) { return units_.retire(unit); }

    /// Gives memory that is not in use back to the system: whole units, which then are free for
    /// any use, and pages of free small blocks. Returns how many bytes.
    std::uint64_t trim() {
        std::uint64_t bytes = 0;
        auto const& header = arena_.header();
        for (auto unit = header.first_unit; unit < header.unit_mark.load(relaxed); ++unit) {
            if (auto const whole = units_.give_back(unit)) {
                bytes += whole;
                continue;
            }
            auto const word = arena_.unit(unit).load(std::memory_order_acquire);
            if (UnitWord::phase(word) != UnitWord::slab) continue;
            for (std::uint64_t at = 0; at < unit_bytes / page / 64; ++at)
                for (auto dirty = arena_.hints(unit).dirty_pages[at].load(relaxed); dirty != 0;
                     dirty &= dirty - 1)
                    bytes += trim_page(
                        unit, word, at * 64 + static_cast<unsigned>(std::countr_zero(dirty)));
        }
        arena_.header().free_backed.store(0, std::memory_order_relaxed);
        return bytes;
    }

private:
    static constexpr std::uint64_t page = Backing::page;
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    // ---- blocks of a class -------------------------------------------------------------------

    Ref take(std::uint32_t size_class, Word& hand) {
        auto& hints = arena_.size_class(size_class);
        for (;;) {
            auto const words = arena_.header().unit_mark.load() / 64 + 1;
            auto const start = hints.cursor.load(relaxed) % words;
            for (std::size_t i = 0; i < words; ++i) {
                auto const at = (start + i) % words;
                while (auto const bits = hints.units[at].load(std::memory_order_acquire)) {
                    auto const unit = at * 64 + static_cast<unsigned>(std::countr_zero(bits));
                    if (auto const ref = take_in_unit(unit, size_class, hand)) {
                        if (at != start) hints.cursor.store(at, relaxed);
                        return ref;
                    }
                }
            }
            units_.open(size_class);
        }
    }

    Ref take_in_unit(std::uint64_t unit, std::uint32_t size_class, Word& hand) {
        auto& hints = arena_.hints(unit);
        for (std::size_t half = 0; half < hints.summary.size(); ++half)
            while (auto const full = hints.summary[half].load(std::memory_order_acquire)) {
                if (!is_slab(unit, size_class)) break;
                auto const at = half * 64 + static_cast<unsigned>(std::countr_zero(full));
                while (auto const bits = hints.free_blocks[at].load(std::memory_order_acquire)) {
                    auto const index = at * 64 + static_cast<unsigned>(std::countr_zero(bits));
                    if (auto const ref = take_block(unit, index, size_class, hand)) return ref;
                    if (!is_slab(unit, size_class)) break;
                }
                hints_.clear_then_look(unit, hints.summary[half], at % 64,
                                       [&] { return hints.free_blocks[at].load() != 0; });
            }
        auto& mark = arena_.size_class(size_class).units[unit / 64];
        hints_.clear_then_look(unit, mark, unit % 64, [&] {
            return is_slab(unit, size_class) &&
                   (hints.summary[0].load() != 0 || hints.summary[1].load() != 0);
        });
        return {};
    }

    bool is_slab(std::uint64_t unit, std::uint32_t size_class) const {
        return UnitWord::is_slab_of(arena_.unit(unit).load(), size_class);
    }

    Ref take_block(std::uint64_t unit, std::size_t index, std::uint32_t size_class, Word& hand) {
        auto& hint = arena_.hints(unit).free_blocks[index / 64];
        auto const granule = unit * words_per_unit + index * Hints::stride(size_class);
        auto const exists = granule / words_per_unit == unit;  // no hint of a class of before
        auto& word = arena_.block(exists ? granule : unit * words_per_unit);
        auto seen = word.load(std::memory_order_acquire);
        if (exists && BlockWord::phase(seen) == BlockWord::free && is_slab(unit, size_class)) {
            auto const generation = BlockWord::generation(seen);
            auto const ref = Ref::of(granule, generation);
            hand.store(ref.bits | Record::raw_bit, std::memory_order_release);
            if (word.compare_exchange_strong(
                    seen, BlockWord::pack(generation, BlockWord::live, index_))) {
                backing_.mark_dirty(unit, granule % words_per_unit, size_class);
                hints_.clear_then_look(unit, hint, index % 64, [] { return false; });
                return ref;
            }
            hand.store(0, std::memory_order_release);
        }
        // Where the unit became another slab meanwhile, the bit may be one of that.
        hints_.clear_then_look(unit, hint, index % 64, [&] {
            return !is_slab(unit, size_class) ||
                   (exists && BlockWord::phase(word.load()) == BlockWord::free);
        });
        return {};
    }

    // ---- memory given back -------------------------------------------------------------------

    /// The granules of the blocks that lie on a page: the blocks in it, or the one it is part of.
    static std::pair<std::uint64_t, std::uint64_t> blocks_on(std::uint64_t page_index,
                                                             std::uint32_t size_class) {
        auto const step = Hints::stride(size_class);
        auto const first = page_index * (page / granule_bytes) / step * step;
        return {first, first + std::max(step, page / granule_bytes)};
    }

    std::uint64_t trim_page(std::uint64_t unit, std::uint64_t unit_word,
                            std::uint64_t page_index) {
        auto const size_class = UnitWord::detail(unit_word);
        auto const [first, end] = blocks_on(page_index, size_class);
        record_.trim.store((unit + 1) << 16 | page_index, std::memory_order_release);
        bool all = true;
        for (auto at = first; at < end && all; at += Hints::stride(size_class)) {
            auto& word = arena_.block(unit * words_per_unit + at);
            auto seen = word.load(std::memory_order_acquire);
            all = BlockWord::phase(seen) == BlockWord::free &&
                  arena_.unit(unit).load() == unit_word &&
                  word.compare_exchange_strong(
                      seen, BlockWord::pack(BlockWord::generation(seen), BlockWord::claimed,
                                            index_));
        }
        std::uint64_t bytes = 0;
        if (all) {
            bytes = (end - first) * granule_bytes;
            auto const offset = unit * unit_bytes + first * granule_bytes;
            arena_.memory().give_back(offset, bytes);
            backing_.clean(unit, first * granule_bytes / page, bytes);
        }
        unclaim(unit, page_index);
        record_.trim.store(0, std::memory_order_release);
        return bytes;
    }

    void unclaim(std::uint64_t unit, std::uint64_t page_index) {
        auto const unit_word = arena_.unit(unit).load(std::memory_order_acquire);
        if (!UnitWord::has_blocks(unit_word)) return;  // none was claimed
        auto const size_class = UnitWord::detail(unit_word);
        auto const [first, end] = blocks_on(page_index, size_class);
        for (auto at = first; at < end; at += Hints::stride(size_class)) {
            auto& word = arena_.block(unit * words_per_unit + at);
            auto seen = word.load(std::memory_order_acquire);
            if (BlockWord::phase(seen) == BlockWord::claimed && BlockWord::owner(seen) == index_)
                word.compare_exchange_strong(
                    seen, BlockWord::pack(BlockWord::generation(seen), BlockWord::free, 0));
            hints_.offer(unit, at, size_class);
        }
    }

    Arena& arena_;
    Record& record_;
    std::uint16_t index_;
    Backing backing_;
    Hints hints_;
    Units units_;
    Runs runs_;
};

}  // namespace multiprocessing::heap
