// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring_layout.hpp — the words of a ring: a chain of segments of slots.
// Layer 2 (heap). Mirrors no Python file.
//
// Each time a segment is put to use it gets a **lap** that no segment of the tree had before, and
// every word that a compare-and-swap may hit carries it. A process that slept while its segment was
// freed and used again therefore changes nothing; and since blocks of this class are only ever
// segments, it never meets foreign data either.
//
//   slot     empty -> writing(owner) -> full -> reading(owner) -> done
//            writing(dead) -> done: a void item, which getters pass over
//   segment  prepared(owner) -> linked -> retired(owner) -> freed
//            linked by one compare-and-swap on its predecessor's `next`; retired when every slot is
//            done and the head is past it
//   head, tail  hints that only move on. The tail is never behind the head by a segment.
//
// Slots are claimed in order: the tail leaves a slot only when that is no longer empty, and a slot
// is claimed only where the tail was seen, or behind slots from there on that were not empty. A
// record holds one slot at a time. A slot's payload belongs to the owner in its state.
#pragma once

#include <multiprocessing/heap/event.hpp>
#include <multiprocessing/heap/layout.hpp>

#include <cstddef>

namespace multiprocessing::heap {

inline constexpr std::uint32_t slots_per_segment = 511;
inline constexpr std::uint64_t inline_bytes = 104;  // a smaller item needs no block of its own
inline constexpr std::uint64_t lap_mask = (std::uint64_t{1} << 34) - 1;
inline constexpr unsigned lap_shift = 30;

/// The state of a slot, and of a segment: lap:34 | phase | owner's record:16.
struct LapWord {
    enum Phase : std::uint64_t { empty, writing, full, reading, done, prepared, linked, retired };

    static constexpr std::uint64_t pack(std::uint64_t lap, Phase phase, std::uint16_t owner = 0) {
        return lap << lap_shift | phase << 16 | owner;
    }
    static constexpr std::uint64_t lap(std::uint64_t w) { return w >> lap_shift; }
    static constexpr Phase phase(std::uint64_t w) { return static_cast<Phase>(w >> 16 & 7); }
    static constexpr std::uint16_t owner(std::uint64_t w) {
        return static_cast<std::uint16_t>(w & 0xffff);
    }
};

/// What follows a segment: lap of that segment:34 | its successor, counted in segments:20. 0:
/// nothing.
struct NextWord {
    static constexpr std::uint64_t pack(std::uint64_t lap, std::uint64_t segment) {
        return lap << lap_shift | segment;
    }
    static constexpr std::uint64_t lap(std::uint64_t w) { return w >> lap_shift; }
    static constexpr std::uint64_t segment(std::uint64_t w) { return w & 0xfffff; }
};

/// A place in the chain: lap:34 | slot:10 | segment:20. Slot slots_per_segment is its end. A new
/// ring stands at the end of segment 0, which is none: what follows it is RingBody::first.
struct Place {
    std::uint64_t bits = 0;

    static constexpr Place of(std::uint64_t lap, std::uint64_t slot, std::uint64_t segment) {
        return Place{lap << lap_shift | slot << 20 | segment};
    }
    static constexpr Place before_first() { return of(0, slots_per_segment, 0); }
    constexpr std::uint64_t lap() const { return bits >> lap_shift; }
    constexpr std::uint64_t slot() const { return bits >> 20 & 0x3ff; }
    constexpr std::uint64_t segment() const { return bits & 0xfffff; }
    constexpr bool at_end() const { return slot() == slots_per_segment; }
    constexpr Place next() const { return Place{bits + (1u << 20)}; }
    constexpr bool operator==(Place const&) const = default;
};

/// One item.
struct alignas(granule_bytes) RingSlot {
    static constexpr std::uint64_t is_message = ~std::uint64_t{0};

    Word state;
    Word message;        // the item, when it is a heap message; else 0
    std::uint64_t size;  // the item's bytes, when they lie here; else is_message
    std::array<std::byte, inline_bytes> bytes;
};
static_assert(sizeof(RingSlot) == granule_bytes);

/// A block of the segment class.
struct RingSegment {
    Header header;
    Word lap;
    Word base;   // the number of its first item in the ring
    Word next;   // NextWord
    Word where;  // LapWord: prepared, linked, retired
    Word ring;   // Ref of the ring
    std::uint64_t padding[7];
    std::array<RingSlot, slots_per_segment> slots;
};
static_assert(sizeof(RingSegment) == segment_bytes);
static_assert(offsetof(RingSegment, slots) == granule_bytes);

/// The body of a Kind::ring object; what different processes write lies in different lines.
struct RingBody {
    // Never changed after the ring was made.
    std::uint64_t maxsize;  // 0: no bound
    std::uint64_t type;     // hash of what the items are; the layers above compare it
    std::uint64_t first_number;
    std::uint64_t redeliver;  // what a getter held when it died is put again
    std::uint64_t padding_1[8];

    Word tail;        // of putters
    Word head_seen;   // a number that the head is known to have reached
    Word first;       // NextWord of the place before the first segment
    Event not_empty;  // here, since putters look at it
    std::uint32_t padding_2[25];

    Word head;  // of getters
    Word tail_seen;  // a place that the tail is known to have reached
    Event not_full;
    std::uint32_t padding_3[27];
};
static_assert((Header::body_offset(0) + offsetof(RingBody, tail)) % granule_bytes == 0);
static_assert(offsetof(RingBody, head) % granule_bytes == offsetof(RingBody, tail) % granule_bytes);

/// Record::ring: what a sweep of a dead thread must know of its ring operation.
namespace ring_intent {
inline constexpr std::size_t slot = 0;     // lap:34 | granule:29 of the slot it may hold
inline constexpr std::size_t segment = 1;  // Ref of a segment in its hands: being linked or freed
inline constexpr std::size_t link = 2;     // offset of the `next` word that is to name it; or 0
inline constexpr std::size_t lap = 3;      // the lap of the segment that is being linked
inline constexpr std::size_t again = 4;    // the slot into which a dead getter's item may be put
inline constexpr std::size_t again_held = 5;  // the same, once that slot is known to be claimed
inline constexpr std::size_t taken = 6;  // offset of a word that names the item once it is taken

constexpr std::uint64_t of(Place at) {
    return at.lap() << lap_shift | (at.segment() * (slots_per_segment + 1) + at.slot() + 1);
}
constexpr std::uint64_t lap_of(std::uint64_t intent) { return intent >> lap_shift; }
constexpr std::uint64_t granule_of(std::uint64_t intent) { return intent & 0x1fffffff; }

/// How such a word names an item, in its lower half; never 0 by itself.
constexpr std::uint32_t name_of(std::uint64_t number) {
    return static_cast<std::uint32_t>(number + 1);
}
}  // namespace ring_intent

}  // namespace multiprocessing::heap
