// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring_recovery.hpp — what becomes of a ring when its users die.
// Layer 2 (heap). Mirrors no Python file.
#pragma once

#include <multiprocessing/heap/ring_steps.hpp>

namespace multiprocessing::heap {

namespace ring_recovery {

/// Whether the segment in the record's hand is its own to free; if not, the hand is empty then.
inline bool keeps_segment(Ledger& ledger) {
    auto& intents = ledger.record().ring;
    auto& hand = intents[ring_intent::segment];
    Ref const ref{hand.load(std::memory_order_acquire)};
    if (!ref || (ref.bits & Record::raw_bit) != 0) return bool{ref};
    auto const link = intents[ring_intent::link].load(std::memory_order_acquire);
    // Before the segment's own words: if that changed later, then not by a link of ours.
    auto const next = link == 0 ? 0 : ledger.arena().at<Word>(link)->load();
    if (ledger.header(ref) != nullptr) {
        auto& segment = *ledger.arena().at<RingSegment>(ref.offset());
        auto const where = segment.where.load();
        auto const lap = intents[ring_intent::lap].load(std::memory_order_relaxed);
        if (link == 0) {
            if (where == LapWord::pack(LapWord::lap(where), LapWord::retired, ledger.index()))
                return true;
        } else if (LapWord::lap(where) != lap) {
            return true;  // taken, not yet prepared
        } else if (where == LapWord::pack(lap, LapWord::prepared, ledger.index())) {
            // Nobody has passed the link yet, so the word that it was to be in is still the same.
            if (NextWord::segment(next) != ref.offset() / segment_bytes) return true;
            RingSteps::mark_linked(segment, lap);
        }
    }
    hand.store(0, std::memory_order_release);
    return false;
}

inline RingBody& body_of(Ledger& ledger, Ref ring) {
    return *reinterpret_cast<RingBody*>(ledger.arena().at<Header>(ring.offset())->body());
}

/// The slot that an intent names.
inline RingClaim claim_of(Ledger& ledger, std::uint64_t intent) {
    auto const granule = ring_intent::granule_of(intent);
    auto constexpr per_segment = segment_bytes / granule_bytes;
    return {
        ledger.arena().at<RingSlot>(granule * granule_bytes),
        Place::of(ring_intent::lap_of(intent), granule % per_segment - 1, granule / per_segment)};
}

inline bool holds(Ledger& ledger, RingClaim const& claim, LapWord::Phase phase) {
    return claim.slot->state.load() == LapWord::pack(claim.at.lap(), phase, ledger.index());
}

/// Whether the dead getter of the claim has taken the item for good; see Ring::get_for.
inline bool was_taken(Ledger& ledger, RingClaim const& claim) {
    auto const word = ledger.record().ring[ring_intent::taken].load(std::memory_order_acquire);
    if (word == 0) return false;
    auto const base = RingSteps::segment_at(ledger.arena(), claim.at.segment()).base.load();
    return static_cast<std::uint32_t>(ledger.arena().at<Word>(word)->load()) ==
           ring_intent::name_of(base + claim.at.slot());
}

/// Puts the item of a slot that a dead getter holds at the tail, exactly once however often this
/// is cut short and begun again.
inline void put_again(Ledger& ledger, RingBody& body, RingSlot& from) {
    auto& intents = ledger.record().ring;
    auto& again = intents[ring_intent::again];
    auto& held = intents[ring_intent::again_held];
    Ref const message{from.message.load(std::memory_order_acquire)};
    if (from.size == RingSlot::is_message && ledger.header(message) == nullptr)
        return;  // the getter had it in its own hand, or had dropped it
    for (auto& hand : ledger.record().hands)
        if (message && hand.load() == message.bits) hand.store(0, std::memory_order_release);

    RingSteps steps(ledger.arena(), ledger.index(), body, ring_intent::again);
    RingClaim to;
    if (again.load() != 0) to = claim_of(ledger, again.load());
    if (!to || !holds(ledger, to, LapWord::writing)) {
        if (to && held.load() == again.load()) {  // it was put already
            from.message.store(0, std::memory_order_release);
            return;
        }
        try {
            to = steps.claim_empty(false);
        } catch (MemoryError const&) {
            return;  // dropped: a sweep must come to its end
        }
    }
    held.store(again.load(), std::memory_order_release);
    to.slot->size = from.size;
    to.slot->bytes = from.bytes;
    to.slot->message.store(message.bits, std::memory_order_release);
    steps.publish(to);
    from.message.store(0, std::memory_order_release);
}

}  // namespace ring_recovery

inline void recover_ring(Ledger& ledger) {
    using namespace ring_recovery;
    auto& intents = ledger.record().ring;
    if (keeps_segment(ledger)) ledger.drop(intents[ring_intent::segment]);
    intents[ring_intent::link].store(0, std::memory_order_release);

    auto const intent = intents[ring_intent::slot].load(std::memory_order_acquire);
    if (intent == 0) return;
    auto const claim = claim_of(ledger, intent);
    auto& segment = RingSteps::segment_at(ledger.arena(), claim.at.segment());
    auto const writing = holds(ledger, claim, LapWord::writing);
    auto const reading = holds(ledger, claim, LapWord::reading);
    if (writing || reading) {
        // The dead process held a slot, hence it still counts as holding the ring.
        auto& body = body_of(ledger, Ref{segment.ring.load()});
        if (reading && body.redeliver != 0 && !was_taken(ledger, claim))
            put_again(ledger, body, *claim.slot);
        ledger.drop(claim.slot->message);
        claim.slot->state.store(LapWord::pack(claim.at.lap(), LapWord::done));
        body.not_empty.notify_all();
        body.not_full.notify_all();
    }
    intents[ring_intent::again_held].store(0, std::memory_order_release);
    intents[ring_intent::again].store(0, std::memory_order_release);
    intents[ring_intent::taken].store(0, std::memory_order_release);
    RingSteps::retire(ledger, segment, claim.at.lap());
}

inline bool empty_ring(Ledger& ledger, Ref ring) {
    using namespace ring_recovery;
    auto& arena = ledger.arena();
    auto& body = body_of(ledger, ring);
    auto& hand = ledger.record().ring[ring_intent::segment];
    Place const at{body.head.load(std::memory_order_acquire)};
    auto const enter = [&](std::uint64_t segment) {
        auto const lap = RingSteps::segment_at(arena, segment).lap.load(std::memory_order_acquire);
        body.head.store(Place::of(lap, 0, segment).bits, std::memory_order_release);
    };

    if (keeps_segment(ledger)) {
        Ref const ref{hand.load(std::memory_order_relaxed)};
        auto& segment = *arena.at<RingSegment>(ref.offset());
        if (at.segment() == ref.offset() / segment_bytes &&
            at.lap() == segment.lap.load(std::memory_order_relaxed)) {
            if (auto const next = NextWord::segment(segment.next.load())) {
                enter(next);
            } else {
                body.first.store(0, std::memory_order_release);
                body.head.store(Place::before_first().bits, std::memory_order_release);
            }
        }
        ledger.descend(ref);
        return true;
    }
    if (at.segment() == 0) {
        auto const first = NextWord::segment(body.first.load(std::memory_order_acquire));
        if (first == 0) return false;
        enter(first);
        return true;
    }
    auto& segment = RingSteps::segment_at(arena, at.segment());
    for (auto i = at.slot(); i < slots_per_segment; ++i) {
        auto& message = segment.slots[i].message;
        if (message.load(std::memory_order_acquire) == 0) continue;
        body.head.store(Place::of(at.lap(), i, at.segment()).bits, std::memory_order_release);
        ledger.drop_word(message);
        return true;
    }
    auto const granule = arena.offset_of(&segment) / granule_bytes;
    hand.store(Ref::of(granule, BlockWord::generation(arena.block(granule).load())).bits,
               std::memory_order_release);
    segment.where.store(LapWord::pack(at.lap(), LapWord::retired, ledger.index()),
                        std::memory_order_release);
    return true;
}

}  // namespace multiprocessing::heap
