// SPDX-License-Identifier: MIT
// multiprocessing/heap/layout.hpp — what lies where in the arena that a process tree shares.
// Layer 2 (heap). Python keeps its arenas in Lib/multiprocessing/heap.py; nothing of that layout is
// mirrored.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace multiprocessing::heap {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free, "shared words must be plain machine words");

inline constexpr std::uint64_t granule_bytes = 128;
inline constexpr std::uint64_t unit_bytes = 1u << 20;
inline constexpr std::uint64_t words_per_unit = unit_bytes / granule_bytes;
inline constexpr std::uint32_t max_slots = 4096;
inline constexpr std::uint32_t max_records = 65536;  // 0 is nobody; below max_slots: one per slot
inline constexpr std::uint64_t process_bytes = (1 + max_slots) * std::uint64_t{128};
inline constexpr std::uint32_t hands_per_record = 8;
inline constexpr std::uint32_t holdings_per_chunk = 62;

/// Block sizes: 128 B doubled up to 256 KiB, then one class whose memory is only ever ring
/// segments (so that a late compare-and-swap of a stopped process meets a ring word, never data).
inline constexpr std::uint32_t size_classes = 12;
inline constexpr std::uint32_t segment_class = size_classes;
inline constexpr std::uint32_t all_classes = size_classes + 1;
inline constexpr std::uint64_t segment_bytes = 64u << 10;

constexpr std::uint64_t class_bytes(std::uint32_t size_class) {
    return size_class == segment_class ? segment_bytes : granule_bytes << size_class;
}
constexpr std::uint64_t largest_class_bytes = class_bytes(size_classes - 1);

/// Names a block: generation in the upper half, granule in the lower. A block that was freed has
/// another generation, so an old Ref is recognised for ever (up to 2^32 uses of one block).
struct Ref {
    std::uint64_t bits = 0;

    static constexpr Ref of(std::uint64_t granule, std::uint32_t generation) {
        return Ref{std::uint64_t{generation} << 32 | granule};
    }
    constexpr std::uint64_t granule() const { return bits & 0x7fffffff; }
    constexpr std::uint32_t generation() const { return static_cast<std::uint32_t>(bits >> 32); }
    constexpr std::uint64_t offset() const { return granule() * granule_bytes; }
    constexpr std::uint64_t unit() const { return granule() / words_per_unit; }
    constexpr explicit operator bool() const { return bits != 0; }
    constexpr bool operator==(Ref const&) const = default;
};

/// The state of one block, in a table beside the data that is never used for anything else.
struct BlockWord {
    enum Phase : std::uint64_t { free = 0, live = 1, claimed = 2 };

    static constexpr std::uint64_t pack(std::uint32_t generation, Phase phase,
                                        std::uint16_t owner) {
        return std::uint64_t{generation} << 32 | std::uint64_t{owner} << 8 | phase;
    }
    static constexpr std::uint32_t generation(std::uint64_t w) {
        return static_cast<std::uint32_t>(w >> 32);
    }
    static constexpr Phase phase(std::uint64_t w) { return static_cast<Phase>(w & 0xff); }
    static constexpr std::uint16_t owner(std::uint64_t w) {
        return static_cast<std::uint16_t>(w >> 8);
    }
    static constexpr bool is_live(std::uint64_t w, Ref ref) {
        return generation(w) == ref.generation() && phase(w) == live;
    }
};

/// The state of one unit of 1 MiB: free, a slab of one class, part of a run of units, or in the
/// hands of the one who makes it another of these; see heap/units.hpp.
struct UnitWord {
    enum Phase : std::uint64_t { free = 0, slab = 1, run = 2, changing = 3 };
    std::uint64_t bits = 0;

    static constexpr std::uint64_t pack(Phase phase, std::uint32_t detail, std::uint16_t owner,
                                        std::uint64_t generation) {
        return phase | std::uint64_t{detail} << 4 | std::uint64_t{owner} << 20 | generation << 36;
    }
    static constexpr Phase phase(std::uint64_t w) { return static_cast<Phase>(w & 0xf); }
    /// Slab: the class. Run: its first unit. Changing: the class it had or is to have.
    static constexpr std::uint32_t detail(std::uint64_t w) {
        return static_cast<std::uint32_t>(w >> 4 & 0xffff);
    }
    static constexpr std::uint16_t owner(std::uint64_t w) {
        return static_cast<std::uint16_t>(w >> 20 & 0xffff);
    }
    static constexpr std::uint64_t generation(std::uint64_t w) { return w >> 36; }
    static constexpr bool is_slab_of(std::uint64_t w, std::uint32_t size_class) {
        return phase(w) == slab && detail(w) == size_class;
    }
    /// It has blocks of the class in its detail, some of which may be in use.
    static constexpr bool has_blocks(std::uint64_t w) {
        return phase(w) == slab || phase(w) == changing;
    }
    static constexpr std::uint64_t next_generation(std::uint64_t w) {
        return (generation(w) + 1) & 0xfffffff;
    }
};

/// Where to look for free blocks of one unit. Only hints: a block word decides.
struct UnitHints {
    std::array<Word, 128> free_blocks;  // a bit per block
    std::array<Word, 2> summary;        // a bit per word of free_blocks
    std::array<Word, 4> dirty_pages;    // a bit per 4 KiB that may be backed by memory
    Word run_units;                     // first unit of a run: how many
    std::uint64_t padding[9];
};
static_assert(sizeof(UnitHints) == 144 * 8);

/// In front of every message and every object; then `links` words, then the body.
enum class Kind : std::uint32_t { none = 0, message, plain, ring, segment };

struct Header {
    Kind kind;
    std::uint32_t links;
    std::uint64_t size;  // of the body, bytes
    Word references;     // see Stamp
    Word resume;         // while it is being destroyed: what is destroyed after it

    Word& link(std::uint32_t index) { return reinterpret_cast<Word*>(this + 1)[index]; }
    static constexpr std::uint64_t body_offset(std::uint32_t links) {
        return (sizeof(Header) + std::uint64_t{links} * 8 + 15) / 16 * 16;
    }
    std::byte* body() { return reinterpret_cast<std::byte*>(this) + body_offset(links); }
};
static_assert(sizeof(Header) == 32);

/// A count that says who changed it last, so that a step cut short is known to have happened or
/// not: count:22 | writer's record:16 | the writer's sequence number:26.
struct Stamp {
    static constexpr std::uint64_t sequence_bits = 26;
    static constexpr std::uint64_t sequence_mask = (1u << sequence_bits) - 1;
    static constexpr std::uint64_t most = (1u << 22) - 1;

    static constexpr std::uint64_t pack(std::uint64_t count, std::uint16_t writer,
                                        std::uint64_t sequence) {
        return count << 42 | std::uint64_t{writer} << sequence_bits | (sequence & sequence_mask);
    }
    static constexpr std::uint64_t count(std::uint64_t w) { return w >> 42; }
    static constexpr std::uint16_t writer(std::uint64_t w) {
        return static_cast<std::uint16_t>(w >> sequence_bits & 0xffff);
    }
    static constexpr std::uint64_t sequence(std::uint64_t w) { return w & sequence_mask; }
    /// Signed distance from b to a around the wrap.
    static constexpr std::int64_t distance(std::uint64_t a, std::uint64_t b) {
        auto const d = (a - b) & sequence_mask;
        return d > sequence_mask / 2 ? static_cast<std::int64_t>(d) - (1 << sequence_bits)
                                     : static_cast<std::int64_t>(d);
    }
};

/// One thread's intents. Written by that thread, or, once its process is dead, by the one sweeper
/// that holds its slot, who goes on exactly where the thread stopped.
struct alignas(128) Record {
    Word state;  // generation:32 | slot:16 | 1 when in use

    // What the thread holds that nothing else refers to. Bit 31: a raw block, header not written.
    std::array<Word, hands_per_record> hands;

    // Changing a reference count together with the word that holds the reference.
    Word op;  // 0, or the sequence number of the change under way; written last
    Word op_target, op_delta, op_word, op_from, op_to;
    Word sequence;      // of the last change; never reset
    Word acknowledged;  // the newest change of ours that another writer saw and replaced

    // Destroying: what is being emptied now (a chain through Header::resume), what is being freed.
    Word current, freeing;

    Word run;   // first unit:32 | generation of its word:28, while a run is taken or given back
    Word run_units;
    Word unit;  // 1 + unit whose hints are being changed
    Word trim;  // 1 + unit << 16 | page, while free blocks are claimed to give their page back

    std::array<Word, 8> ring;  // the ring operation under way; see heap/ring_layout.hpp
    Word change;               // 1 + unit that becomes free, or a slab of segments

    static constexpr std::uint64_t raw_bit = 1u << 31;
    static constexpr std::uint64_t pack(std::uint32_t generation, std::uint32_t slot, bool in_use) {
        return std::uint64_t{generation} << 32 | std::uint64_t{slot} << 8 | (in_use ? 1 : 0);
    }
    static constexpr std::uint32_t generation(std::uint64_t w) {
        return static_cast<std::uint32_t>(w >> 32);
    }
    static constexpr std::uint32_t slot(std::uint64_t w) {
        return static_cast<std::uint32_t>(w >> 8 & 0xffff);
    }
    static constexpr bool in_use(std::uint64_t w) { return (w & 1) != 0; }
};
static_assert(sizeof(Record) == 256);

/// One process. `prepared`: made by its parent, references already counted for it, not yet running.
struct alignas(128) Slot {
    enum Phase : std::uint64_t { free = 0, prepared = 1, live = 2, ended = 3, adopting = 4 };

    // generation:24 | creator's generation:20 | creator's slot:16 | phase:4; while adopting
    // generation:24 | pid:36 | phase:4
    Word state;
    Word sweeper;  // 0, or the stamp of the record that clears this slot
    Word pid, start_time;
    Word parent_pid, parent_start_time;
    Word inbox;  // a message that the parent leaves for the child
    Word notes;  // for the process layer: by what others hold on to this process
    std::array<char, 128> name;
    std::array<Word, holdings_per_chunk> holdings;  // a Ref each: what this process refers to
    Word more;                                      // Ref of the next chunk
    Word arena_handle;                              // the arena's number in this process
    std::uint64_t padding[24];

    static constexpr std::uint64_t pack(std::uint64_t generation, Phase phase,
                                        std::uint32_t creator, std::uint64_t creator_generation) {
        return (generation & 0xffffff) << 40 | (creator_generation & 0xfffff) << 20 |
               std::uint64_t{creator} << 4 | phase;
    }
    static constexpr std::uint64_t pack_adopting(std::uint64_t generation, std::int64_t pid) {
        return (generation & 0xffffff) << 40 |
               (static_cast<std::uint64_t>(pid) & 0xf'ffff'ffff) << 4 | adopting;
    }
    static constexpr std::int64_t adopting_pid(std::uint64_t w) {
        return static_cast<std::int64_t>(w >> 4 & 0xf'ffff'ffff);
    }
    static constexpr std::uint64_t generation(std::uint64_t w) { return w >> 40; }
    static constexpr std::uint64_t creator_generation(std::uint64_t w) { return w >> 20 & 0xfffff; }
    static constexpr std::uint32_t creator(std::uint64_t w) {
        return static_cast<std::uint32_t>(w >> 4 & 0xffff);
    }
    static constexpr Phase phase(std::uint64_t w) { return static_cast<Phase>(w & 0xf); }
};
static_assert(sizeof(Slot) == 896);

/// More holdings of one process: the body of a message whose only link is the next chunk.
struct HoldingsChunk {
    std::array<Word, holdings_per_chunk> holdings;
};

struct ClassHints {
    std::array<Word, 1025> units;  // a bit per unit that may have a free block of this class
    Word cursor;
    std::uint64_t padding[14];
};

/// The first page of the arena.
struct ArenaHeader {
    static constexpr std::uint64_t magic_value = 0x6d70'6172'656e'6131;

    Word magic;  // written last
    std::uint64_t layout_hash;
    std::uint64_t version;
    std::uint64_t id;  // of this tree; random
    std::uint64_t reserved;
    std::uint64_t slots_offset, records_offset, units_offset, hints_offset, classes_offset;
    std::uint64_t blocks_offset;
    std::uint64_t process_offset;  // of process_bytes for the process layer, zero at first
    std::uint64_t first_unit, end_unit;
    alignas(128) Word slot_mark;  // slots below it were ever used
    Word record_mark;
    Word record_cursor, slot_cursor, unit_cursor;
    Word unit_mark;    // units at or above it were never used
    Word free_backed;  // about how many bytes are free but still backed by memory
    alignas(128) Word segment_lap;  // the next lap of a ring segment, tree-wide
    Word children;              // prepared so far
};

}  // namespace multiprocessing::heap
