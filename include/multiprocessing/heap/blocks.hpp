// SPDX-License-Identifier: MIT
// multiprocessing/heap/blocks.hpp — the allocator: blocks of power-of-two sizes and runs of units.
// Layer 2 (heap).
//
// States of a block: free -> live (one compare-and-swap that names the taker) -> free with the next
// generation. Who dies where:
//   before the swap    the hand names a block that is not ours: nothing to do
//   after it           the hand's block is live and ours: freed
//   in the hints       the record names the unit: its hints are made anew from the block words
// Nobody ever waits for anybody; hints may lie, block words do not.
#pragma once

#include <multiprocessing/heap/arena.hpp>

#include <algorithm>
#include <bit>

namespace multiprocessing::heap {

/// The allocator as seen by one record, which may be the caller's own or a dead thread's that the
/// caller goes on with. Nothing here is kept between calls.
class Blocks {
public:
    Blocks(Arena& arena, std::uint16_t index)
        : arena_(arena), record_(arena.record(index)), index_(index) {}

    /// Takes a block of at least `bytes` and names it in `hand` with Record::raw_bit set.
    /// Never blocks. Errors: MemoryError when the arena or a limit of the system is reached.
    Ref allocate(std::uint64_t bytes, Word& hand) {
        if (bytes > largest_class_bytes) return take_run(bytes, hand);
        auto const blocks = (std::max(bytes, granule_bytes) + granule_bytes - 1) / granule_bytes;
        return take(static_cast<std::uint32_t>(std::bit_width(blocks - 1)), hand);
    }
    Ref allocate_segment(Word& hand) { return take(segment_class, hand); }

    /// Gives a block back. The caller has it in Record::freeing; doing it twice is harmless.
    void free(Ref ref) {
        auto const unit = arena_.unit(ref.unit()).load(std::memory_order_acquire);
        if (UnitWord::phase(unit) == UnitWord::run) return free_run(ref, unit);
        if (UnitWord::phase(unit) != UnitWord::slab) return;  // a run that is given back already
        auto& word = arena_.block(ref.granule());
        auto seen = word.load(std::memory_order_acquire);
        if (is_live(seen, ref)) {
            auto const bytes = class_bytes(UnitWord::detail(unit));
            if (bytes >= page) give_back_or_keep(ref.offset(), bytes);
            word.compare_exchange_strong(seen, BlockWord::pack(ref.generation() + 1,
                                                               BlockWord::free, 0));
        }
        offer(ref.unit(), block_index(ref), UnitWord::detail(unit));
    }

    /// Usable bytes of a live block.
    std::uint64_t capacity(Ref ref) const {
        auto const unit = arena_.unit(ref.unit()).load(std::memory_order_acquire);
        return UnitWord::phase(unit) == UnitWord::run
                   ? arena_.hints(ref.unit()).run_units.load(std::memory_order_relaxed) * unit_bytes
                   : class_bytes(UnitWord::detail(unit));
    }

    static bool is_live(std::uint64_t word, Ref ref) {
        return BlockWord::generation(word) == ref.generation() &&
               BlockWord::phase(word) == BlockWord::live;
    }
    bool is_live(Ref ref) const {
        return ref.granule() < arena_.header().end_unit * words_per_unit &&
               is_live(arena_.block(ref.granule()).load(std::memory_order_acquire), ref);
    }
    /// Live, and taken by this record: how a sweep tells a block taken from one only looked at.
    bool is_taken_by_us(Ref ref) const {
        auto const word = arena_.block(ref.granule()).load(std::memory_order_acquire);
        return is_live(word, ref) && BlockWord::owner(word) == index_;
    }

    /// Finishes what a dead thread had begun in the allocator itself.
    void recover() {
        if (auto const trim = record_.trim.load(std::memory_order_acquire)) {
            unclaim((trim >> 16) - 1, trim & 0xffff);
            record_.trim.store(0, std::memory_order_release);
        }
        drop_run_units();
        record_.run_units.store(0, std::memory_order_release);
        if (auto const unit = record_.unit.load(std::memory_order_acquire)) {
            renew_hints(unit - 1);
            record_.unit.store(0, std::memory_order_release);
        }
    }

    /// Gives pages of free small blocks back to the system. Returns how many bytes.
    std::uint64_t trim() {
        std::uint64_t bytes = 0;
        auto const& header = arena_.header();
        for (auto unit = header.first_unit; unit < header.unit_mark.load(relaxed); ++unit) {
            auto const word = arena_.unit(unit).load(std::memory_order_acquire);
            if (UnitWord::phase(word) != UnitWord::slab) continue;
            for (std::uint64_t at = 0; at < unit_bytes / page / 64; ++at)
                for (auto dirty = arena_.hints(unit).dirty_pages[at].load(relaxed); dirty != 0;
                     dirty &= dirty - 1)
                    bytes += trim_page(unit, at * 64 + static_cast<unsigned>(std::countr_zero(dirty)));
        }
        arena_.header().free_backed.store(0, std::memory_order_relaxed);
        return bytes;
    }

private:
    static constexpr std::uint64_t page = 4096;
    static constexpr std::uint64_t keep_backed = 64u << 20;
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    static std::uint64_t block_index(Ref ref) { return ref.granule() % words_per_unit; }
    static std::uint64_t stride(std::uint32_t size_class) {
        return class_bytes(size_class) / granule_bytes;
    }

    // ---- blocks of a class -------------------------------------------------------------------

    Ref take(std::uint32_t size_class, Word& hand) {
        auto& hints = arena_.size_class(size_class);
        for (;;) {
            auto const start = hints.cursor.load(relaxed) % hints.units.size();
            for (std::size_t i = 0; i < hints.units.size(); ++i) {
                auto const at = (start + i) % hints.units.size();
                if (at * 64 >= arena_.header().end_unit) continue;
                while (auto const bits = hints.units[at].load(std::memory_order_acquire)) {
                    auto const unit = at * 64 + static_cast<unsigned>(std::countr_zero(bits));
                    if (auto const ref = take_in_unit(unit, size_class, hand)) {
                        if (at != start) hints.cursor.store(at, relaxed);
                        return ref;
                    }
                }
            }
            open_unit(size_class);
        }
    }

    Ref take_in_unit(std::uint64_t unit, std::uint32_t size_class, Word& hand) {
        auto& hints = arena_.hints(unit);
        auto& mark = arena_.size_class(size_class).units[unit / 64];
        for (std::size_t half = 0; half < hints.summary.size(); ++half)
            while (auto const full = hints.summary[half].load(std::memory_order_acquire)) {
                auto const at = half * 64 + static_cast<unsigned>(std::countr_zero(full));
                while (auto const bits = hints.free_blocks[at].load(std::memory_order_acquire)) {
                    auto const bit = static_cast<unsigned>(std::countr_zero(bits));
                    if (auto const ref = take_block(unit, at, bit, size_class, hand)) return ref;
                }
                clear_then_look(unit, hints.summary[half], at % 64,
                                [&] { return hints.free_blocks[at].load() != 0; });
            }
        clear_then_look(unit, mark, unit % 64, [&] {
            return hints.summary[0].load() != 0 || hints.summary[1].load() != 0;
        });
        return {};
    }

    Ref take_block(std::uint64_t unit, std::size_t at, unsigned bit, std::uint32_t size_class,
                   Word& hand) {
        auto& hints = arena_.hints(unit);
        auto const granule = unit * words_per_unit + (at * 64 + bit) * stride(size_class);
        auto& word = arena_.block(granule);
        auto seen = word.load(std::memory_order_acquire);
        if (BlockWord::phase(seen) == BlockWord::free) {
            auto const generation = BlockWord::generation(seen);
            auto const ref = Ref::of(granule, generation);
            hand.store(ref.bits | Record::raw_bit, std::memory_order_release);
            if (word.compare_exchange_strong(
                    seen, BlockWord::pack(generation, BlockWord::live, index_))) {
                mark_dirty(unit, granule % words_per_unit, size_class);
                clear_then_look(unit, hints.free_blocks[at], bit, [] { return false; });
                return ref;
            }
            hand.store(0, std::memory_order_release);
        }
        clear_then_look(unit, hints.free_blocks[at], bit, [&word] {
            return BlockWord::phase(word.load()) == BlockWord::free;
        });
        return {};
    }

    /// Clears a hint; if meanwhile the thing became true again, sets it again. A thread that dies
    /// in between has the unit in its record.
    template <class StillTrue>
    void clear_then_look(std::uint64_t unit, Word& hint, std::uint64_t bit, StillTrue still_true) {
        record_.unit.store(unit + 1, std::memory_order_release);
        auto const mask = std::uint64_t{1} << bit;
        hint.fetch_and(~mask);
        if (still_true()) hint.fetch_or(mask);
        record_.unit.store(0, std::memory_order_release);
    }

    /// Lets others find a free block: bit, word, unit, in this order. Hints that stand already
    /// are left alone, so a block that goes back and forth costs one atomic write.
    void offer(std::uint64_t unit, std::uint64_t granule, std::uint32_t size_class) {
        auto& hints = arena_.hints(unit);
        auto const index = granule / stride(size_class);
        set(hints.free_blocks[index / 64], index % 64);
        set(hints.summary[index / 64 / 64], index / 64 % 64);
        set(arena_.size_class(size_class).units[unit / 64], unit % 64);
    }
    static void set(Word& word, std::uint64_t bit) {
        auto const mask = std::uint64_t{1} << bit;
        if ((word.load() & mask) == 0) word.fetch_or(mask);
    }

    void renew_hints(std::uint64_t unit) {
        auto const word = arena_.unit(unit).load(std::memory_order_acquire);
        if (UnitWord::phase(word) != UnitWord::slab) return;
        auto const size_class = UnitWord::detail(word);
        for (std::uint64_t at = 0; at < words_per_unit; at += stride(size_class)) {
            auto const state = arena_.block(unit * words_per_unit + at).load();
            if (BlockWord::phase(state) == BlockWord::free) offer(unit, at, size_class);
        }
    }

    // ---- units -------------------------------------------------------------------------------

    void open_unit(std::uint32_t size_class) {
        auto& header = arena_.header();
        auto const start = std::max(header.first_unit, header.unit_cursor.load(relaxed));
        for (int pass = 0; pass < 2; ++pass)
            for (auto unit = pass == 0 ? start : header.first_unit;
                 unit < (pass == 0 ? header.end_unit : start); ++unit) {
                auto& word = arena_.unit(unit);
                auto seen = word.load(std::memory_order_acquire);
                if (UnitWord::phase(seen) != UnitWord::free) continue;
                back(unit + 1);
                record_.unit.store(unit + 1, std::memory_order_release);
                bool const ours = word.compare_exchange_strong(
                    seen, UnitWord::pack(UnitWord::slab, size_class, index_,
                                         UnitWord::generation(seen)));
                if (ours) {
                    renew_hints(unit);
                    header.unit_cursor.store(unit, relaxed);
                }
                record_.unit.store(0, std::memory_order_release);
                if (ours) return;
            }
        throw MemoryError("the shared memory of this process tree is full: " +
                          std::to_string(header.reserved >> 20) +
                          " MiB; set MULTIPROCESSING_ARENA to more bytes");
    }

    /// The memory file must reach to the end of the units below `end`.
    void back(std::uint64_t end) {
        auto& mark = arena_.header().unit_mark;
        for (auto seen = mark.load(relaxed);
             seen < end && !mark.compare_exchange_weak(seen, end);) {
        }
        if (!arena_.memory().grow(end * unit_bytes))
            throw MemoryError("the shared memory of this process tree cannot grow to " +
                              std::to_string(end) +
                              " MiB: a limit of the system or of this process refuses");
    }

    // ---- runs of units -----------------------------------------------------------------------

    Ref take_run(std::uint64_t bytes, Word& hand) {
        auto& header = arena_.header();
        auto const count = (bytes + unit_bytes - 1) / unit_bytes;
        for (auto first = header.first_unit; first + count <= header.end_unit;) {
            auto const taken = claim_units(first, count);
            if (taken == count) {
                auto const granule = first * words_per_unit;
                auto& word = arena_.block(granule);
                auto seen = word.load(std::memory_order_acquire);
                auto const ref = Ref::of(granule, BlockWord::generation(seen));
                arena_.hints(first).run_units.store(count, relaxed);
                hand.store(ref.bits | Record::raw_bit, std::memory_order_release);
                word.store(BlockWord::pack(ref.generation(), BlockWord::live, index_));
                record_.run_units.store(0, std::memory_order_release);
                return ref;
            }
            drop_run_units();
            record_.run_units.store(0, std::memory_order_release);
            first += taken + 1;
        }
        throw MemoryError("the shared memory of this process tree has no room for " +
                          std::to_string(bytes) + " bytes in one piece");
    }

    /// Takes units one by one from `first`; returns how many it got. The record says so before.
    std::uint64_t claim_units(std::uint64_t first, std::uint64_t count) {
        std::uint64_t taken = 0;
        for (; taken < count; ++taken) {
            auto& word = arena_.unit(first + taken);
            auto seen = word.load(std::memory_order_acquire);
            if (UnitWord::phase(seen) != UnitWord::free) break;
            if (taken == 0) {
                back(first + count);
                record_.run.store(first << 32 | UnitWord::generation(seen), relaxed);
                record_.run_units.store(count, std::memory_order_release);
            }
            auto const mine = UnitWord::pack(UnitWord::run, static_cast<std::uint32_t>(first),
                                             index_, UnitWord::generation(seen));
            if (!word.compare_exchange_strong(seen, mine)) break;
        }
        return taken;
    }

    /// Gives back the units of the run in the record, unless the run became a live block. The
    /// first unit goes last: while it is the run's, no other unit can belong to another run of
    /// the same name.
    void drop_run_units() {
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

    void free_run(Ref ref, std::uint64_t unit_word) {
        auto const first = ref.unit();
        auto& word = arena_.block(ref.granule());
        auto seen = word.load(std::memory_order_acquire);
        if (is_live(seen, ref)) {
            auto const count = arena_.hints(first).run_units.load(relaxed);
            // From here on the record can finish: the units are ours to give back.
            auto const mine = UnitWord::pack(UnitWord::run, static_cast<std::uint32_t>(first),
                                             index_, UnitWord::generation(unit_word));
            arena_.unit(first).store(mine, std::memory_order_release);
            record_.run.store(first << 32 | UnitWord::generation(unit_word), relaxed);
            record_.run_units.store(count, std::memory_order_release);
            give_back_or_keep(ref.offset(), count * unit_bytes);
            word.store(BlockWord::pack(ref.generation() + 1, BlockWord::free, 0));
            drop_run_units();
            record_.run_units.store(0, std::memory_order_release);
        }
    }

    // ---- memory given back -------------------------------------------------------------------

    void give_back_or_keep(std::uint64_t offset, std::uint64_t bytes) {
        auto& backed = arena_.header().free_backed;
        if (backed.load(relaxed) + bytes <= keep_backed) {
            backed.fetch_add(bytes, relaxed);
            return;
        }
        arena_.memory().give_back(offset, bytes);
        if (bytes < unit_bytes) clean(offset / unit_bytes, offset % unit_bytes / page, bytes);
    }

    void mark_dirty(std::uint64_t unit, std::uint64_t granule, std::uint32_t size_class) {
        auto const bytes = class_bytes(size_class);
        auto& pages = arena_.hints(unit).dirty_pages;
        auto const first = granule * granule_bytes / page;
        for (auto p = first; p < first + std::max(bytes / page, std::uint64_t{1}); ++p)
            if ((pages[p / 64].load(relaxed) >> p % 64 & 1) == 0)
                pages[p / 64].fetch_or(std::uint64_t{1} << p % 64, relaxed);
        if (bytes >= page) {
            auto& backed = arena_.header().free_backed;
            auto const seen = backed.load(relaxed);
            backed.store(seen > bytes ? seen - bytes : 0, relaxed);
        }
    }
    void clean(std::uint64_t unit, std::uint64_t first, std::uint64_t bytes) {
        for (auto p = first; p < first + bytes / page; ++p)
            arena_.hints(unit).dirty_pages[p / 64].fetch_and(~(std::uint64_t{1} << p % 64),
                                                             relaxed);
    }

    /// The granules of the blocks that lie on a page: the blocks in it, or the one it is part of.
    std::pair<std::uint64_t, std::uint64_t> blocks_on(std::uint64_t page_index,
                                                      std::uint32_t size_class) const {
        auto const step = stride(size_class);
        auto const first = page_index * (page / granule_bytes) / step * step;
        return {first, first + std::max(step, page / granule_bytes)};
    }

    std::uint64_t trim_page(std::uint64_t unit, std::uint64_t page_index) {
        auto const size_class = UnitWord::detail(arena_.unit(unit).load(relaxed));
        auto const [first, end] = blocks_on(page_index, size_class);
        record_.trim.store((unit + 1) << 16 | page_index, std::memory_order_release);
        bool all = true;
        for (auto at = first; at < end && all; at += stride(size_class)) {
            auto& word = arena_.block(unit * words_per_unit + at);
            auto seen = word.load(std::memory_order_acquire);
            all = BlockWord::phase(seen) == BlockWord::free &&
                  word.compare_exchange_strong(
                      seen, BlockWord::pack(BlockWord::generation(seen), BlockWord::claimed,
                                            index_));
        }
        std::uint64_t bytes = 0;
        if (all) {
            bytes = (end - first) * granule_bytes;
            auto const offset = unit * unit_bytes + first * granule_bytes;
            arena_.memory().give_back(offset, bytes);
            clean(unit, first * granule_bytes / page, bytes);
        }
        unclaim(unit, page_index);
        record_.trim.store(0, std::memory_order_release);
        return bytes;
    }

    void unclaim(std::uint64_t unit, std::uint64_t page_index) {
        auto const size_class = UnitWord::detail(arena_.unit(unit).load(relaxed));
        auto const [first, end] = blocks_on(page_index, size_class);
        for (auto at = first; at < end; at += stride(size_class)) {
            auto& word = arena_.block(unit * words_per_unit + at);
            auto seen = word.load(std::memory_order_acquire);
            if (BlockWord::phase(seen) == BlockWord::claimed && BlockWord::owner(seen) == index_)
                word.compare_exchange_strong(
                    seen, BlockWord::pack(BlockWord::generation(seen), BlockWord::free, 0));
            offer(unit, at, size_class);
        }
    }

    Arena& arena_;
    Record& record_;
    std::uint16_t index_;
};

}  // namespace multiprocessing::heap
