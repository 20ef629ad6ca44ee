// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring_segments.hpp — adding segments to a ring, leaving and freeing them.
// Layer 2 (heap). Mirrors no Python file.
#pragma once

#include <multiprocessing/heap/ledger.hpp>
#include <multiprocessing/heap/prefetch.hpp>
#include <multiprocessing/heap/ring_layout.hpp>

namespace multiprocessing::heap {

/// The chain of segments of one ring as one record changes it; the base of RingSteps.
class RingSegments {
public:
    RingSegments(Arena& arena, std::uint16_t index, RingBody& body, std::size_t intent)
        : arena_(arena),
          body_(body),
          intents_(arena.record(index).ring),
          intent_(intents_[intent]),
          index_(index) {}

    /// Frees a segment that the head has left and in which every slot is done; one caller does.
    [[gnu::noinline]] static void retire(Ledger ledger, RingSegment& segment, std::uint64_t lap) {
        auto linked = LapWord::pack(lap, LapWord::linked);
        Ref const ring{segment.ring.load(std::memory_order_acquire)};
        auto const base = segment.base.load(std::memory_order_acquire);
        if (segment.where.load() != linked || !head_is_past(ledger, ring, base)) return;
        auto const done = LapWord::pack(lap, LapWord::done);
        for (auto i = slots_per_segment; i-- > 0;)
            if (segment.slots[i].state.load(std::memory_order_acquire) != done) return;
        auto const granule = ledger.arena().offset_of(&segment) / granule_bytes;
        auto const block = ledger.arena().block(granule).load(std::memory_order_acquire);
        auto& hand = ledger.record().ring[ring_intent::segment];
        hand.store(Ref::of(granule, BlockWord::generation(block)).bits, std::memory_order_release);
        // Succeeds only in the life that `lap` names, so the generation is that life's too.
        if (segment.where.compare_exchange_strong(
                linked, LapWord::pack(lap, LapWord::retired, ledger.index())))
            ledger.drop(hand);
        else
            hand.store(0, std::memory_order_release);
    }

    static void mark_linked(RingSegment& segment, std::uint64_t lap) {
        auto where = segment.where.load(std::memory_order_acquire);
        if (LapWord::lap(where) == lap && LapWord::phase(where) == LapWord::prepared)
            segment.where.compare_exchange_strong(where, LapWord::pack(lap, LapWord::linked));
    }

    static RingSegment& segment_at(Arena& arena, std::uint64_t index) {
        return *arena.at<RingSegment>(index * segment_bytes);
    }

protected:
    RingSegment& segment_at(std::uint64_t index) const { return segment_at(arena_, index); }
    RingSlot& slot_at(Place at) const { return segment_at(at.segment()).slots[at.slot()]; }
    Word& next_of(Place at) const {
        return at.segment() == 0 ? body_.first : segment_at(at.segment()).next;
    }

    /// The number of the item at a place. Right only if the head or tail is still there afterwards.
    std::uint64_t number_of(Place at) const {
        if (at.segment() == 0) return body_.first_number;
        return segment_at(at.segment()).base.load(std::memory_order_acquire) + at.slot();
    }

    void intend(Place at) { intent_.store(ring_intent::of(at), std::memory_order_release); }

    static bool move(Word& hint, Place from, Place to) {
        return hint.compare_exchange_strong(from.bits, to.bits);
    }

    /// Moves the tail from the end of its segment to the next one, which is made if need be.
    [[gnu::noinline]] void extend(Place tail) {
        auto& next = next_of(tail);
        auto seen = next.load(std::memory_order_acquire);
        if (NextWord::lap(seen) != tail.lap()) return;  // the tail is elsewhere by now
        if (NextWord::segment(seen) == 0) {
            append(tail, next);
            seen = next.load(std::memory_order_acquire);
            if (NextWord::lap(seen) != tail.lap()) return;
        }
        auto& segment = segment_at(NextWord::segment(seen));
        auto const lap = segment.lap.load(std::memory_order_acquire);
        if (body_.tail.load() != tail.bits) return;
        // The tail still stands before the segment, so it was not freed and the lap is its own.
        mark_linked(segment, lap);
        move(body_.tail, tail, Place::of(lap, 0, NextWord::segment(seen)));
    }

    void append(Place last, Word& next) {
        auto const lap = new_lap();
        intents_[ring_intent::lap].store(lap, std::memory_order_relaxed);
        intents_[ring_intent::link].store(arena_.offset_of(&next), std::memory_order_release);
        auto& hand = intents_[ring_intent::segment];
        try {
            Ledger(arena_, index_).allocate(Kind::segment, 0, segment_bytes - sizeof(Header), hand);
        } catch (...) {
            intents_[ring_intent::link].store(0, std::memory_order_release);
            throw;
        }
        Ref const ref{hand.load(std::memory_order_relaxed)};
        auto& segment = *arena_.at<RingSegment>(ref.offset());
        prepare(segment, lap, number_of(last));
        auto none = NextWord::pack(last.lap(), 0);
        if (next.compare_exchange_strong(
                none, NextWord::pack(last.lap(), ref.offset() / segment_bytes))) {
            mark_linked(segment, lap);
            hand.store(0, std::memory_order_release);
        } else {
            Ledger(arena_, index_).drop(hand);
        }
        intents_[ring_intent::link].store(0, std::memory_order_release);
    }

    void prepare(RingSegment& segment, std::uint64_t lap, std::uint64_t first) {
        // Relaxed stores: the link publishes them. A late compare-and-swap fails on any of them.
        auto constexpr relaxed = std::memory_order_relaxed;
        segment.lap.store(lap, relaxed);
        segment.base.store(first, relaxed);
        segment.next.store(NextWord::pack(lap, 0), relaxed);
        segment.ring.store(ring_ref().bits, relaxed);
        auto const empty = LapWord::pack(lap, LapWord::empty);
        for (auto& slot : segment.slots) {
            prefetch_to_write(&slot + 8);  // the last getter still has them
            slot.state.store(empty, relaxed);
            slot.message.store(0, relaxed);
        }
        segment.where.store(LapWord::pack(lap, LapWord::prepared, index_),
                            std::memory_order_release);
    }

    Ref ring_ref() const {
        auto const granule = (arena_.offset_of(&body_) - Header::body_offset(0)) / granule_bytes;
        return Ref::of(granule, BlockWord::generation(arena_.block(granule).load()));
    }

    std::uint64_t new_lap() {
        for (;;)
            if (auto const lap = arena_.header().segment_lap.fetch_add(1) & lap_mask) return lap;
    }

    /// Moves the head from the end of its segment to the next one, if there is one.
    [[gnu::noinline]] bool enter_next(Place at) {
        auto const next = next_of(at).load(std::memory_order_acquire);
        if (NextWord::lap(next) != at.lap()) return true;  // the head is elsewhere by now
        if (NextWord::segment(next) == 0) return false;
        // The tail first: a segment is freed once the head has left it.
        for (Place tail{body_.tail.load()}; tail.lap() == at.lap(); tail = {body_.tail.load()}) {
            if (tail.at_end())
                extend(tail);
            else
                move(body_.tail, tail, at);
        }
        auto& segment = segment_at(NextWord::segment(next));
        Place const to =
            Place::of(segment.lap.load(std::memory_order_acquire), 0, NextWord::segment(next));
        if (at.segment() == 0) {
            move(body_.head, at, to);
        } else {
            // a sweep looks whether it is to be freed
            intend(Place::of(at.lap(), 0, at.segment()));
            if (move(body_.head, at, to))
                retire(Ledger(arena_, index_), segment_at(at.segment()), at.lap());
        }
        return true;
    }

private:
    /// A ring that is gone has no segments left; its body may be anything, and is not trusted.
    static bool head_is_past(Ledger& ledger, Ref ring, std::uint64_t base) {
        if (!ring) return false;
        auto& head = reinterpret_cast<RingBody*>(ledger.arena().at<std::byte>(ring.offset()) +
                                                 Header::body_offset(0))
                         ->head;
        for (;;) {
            Place const at{head.load()};
            if (ledger.header(ring) == nullptr || at.segment() == 0) return false;
            auto const there = segment_at(ledger.arena(), at.segment()).base.load();
            if (head.load() == at.bits) return static_cast<std::int64_t>(there - base) > 0;
        }
    }

protected:
    Arena& arena_;
    RingBody& body_;
    std::array<Word, 8>& intents_;
    Word& intent_;
    std::uint16_t index_;
};

}  // namespace multiprocessing::heap
