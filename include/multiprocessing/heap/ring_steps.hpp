// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring_steps.hpp — claiming, publishing and finishing the slots of a ring.
// Layer 2 (heap). Mirrors no Python file.
#pragma once

#include <multiprocessing/heap/prefetch.hpp>
#include <multiprocessing/heap/ring_segments.hpp>

#include <algorithm>

namespace multiprocessing::heap {

/// A slot that a record holds for writing or for reading.
struct RingClaim {
    RingSlot* slot = nullptr;
    Place at;
    explicit operator bool() const { return slot != nullptr; }
};

/// The steps of one record on one ring: the caller's own, or a dead one that the caller sweeps.
/// Nothing here ever waits; a step that somebody else left half done is finished on the way.
class RingSteps : public RingSegments {
public:
    RingSteps(Arena& arena, std::uint16_t index, RingBody& body,
              std::size_t intent = ring_intent::slot)
        : RingSegments(arena, index, body, intent) {}

    // ---- putting -----------------------------------------------------------------------------

    /// Claims the first empty slot for writing. Nothing when the ring is full. The tail stays where
    /// it is: whoever finds a slot there that is not empty moves it on, publish() the first time.
    /// Errors: MemoryError when a segment has to be added and cannot.
    [[gnu::always_inline]] RingClaim claim_empty(bool bounded = true) {
        for (;;) {
            Place const at{body_.tail.load(std::memory_order_acquire)};
            if (at.at_end()) [[unlikely]] {
                extend(at);
                continue;
            }
            if (bounded && body_.maxsize != 0 && is_full(at)) return {};
            auto& slot = slot_at(at);
            fetch(soon_after(at));
            auto seen = LapWord::pack(at.lap(), LapWord::empty);
            if (claim(slot, at, seen, LapWord::writing)) return {&slot, at};
            if (LapWord::lap(seen) == at.lap()) move(body_.tail, at, at.next());
        }
    }

    /// The item is in the slot: getters may have it from now on.
    void publish(RingClaim const& claim) {
        claim.slot->state.store(LapWord::pack(claim.at.lap(), LapWord::full),
                                std::memory_order_release);
        settle(body_.tail, claim.at, claim.at.next());
        body_.not_empty.notify_one();
    }

    /// Claims, fills and publishes one slot after the other, up to `most`; the tail moves once.
    /// `fill(slot, i)` must not throw. Returns how many; 0 when the ring is full.
    /// Errors: as claim_empty().
    template <class Fill>
    std::uint64_t put_some(std::uint64_t most, Fill fill) {
        for (;;) {
            Place const first{body_.tail.load(std::memory_order_acquire)};
            if (first.at_end()) {
                extend(first);
                continue;
            }
            // In slots, whoever fills them.
            auto room = body_.maxsize == 0 ? ~std::uint64_t{0} : room_at(first);
            if (room == 0) return 0;
            std::uint64_t n = 0;
            auto at = first;
            for (; n < most && room != 0 && !at.at_end(); at = at.next(), --room) {
                auto& slot = slot_at(at);
                fetch(soon_after(at));
                auto seen = LapWord::pack(at.lap(), LapWord::empty);
                if (claim(slot, at, seen, LapWord::writing)) {
                    fill(slot, n++);
                    slot.state.store(LapWord::pack(at.lap(), LapWord::full),
                                     std::memory_order_release);
                } else if (LapWord::lap(seen) != at.lap()) {
                    break;  // the tail is elsewhere by now
                }
            }
            if (at != first) settle(body_.tail, first, at);
            if (n == 0) continue;
            if (n == 1) body_.not_empty.notify_one();
            else body_.not_empty.notify_all();
            return n;
        }
    }

    // ---- getting -----------------------------------------------------------------------------

    /// Claims the first item for reading. Nothing when there is none, or when the first one is
    /// still being written. The head stays where it is, as the tail does.
    [[gnu::always_inline]] RingClaim claim_full() {
        for (;;) {
            Place const at{body_.head.load(std::memory_order_acquire)};
            if (at.at_end()) [[unlikely]] {
                if (!enter_next(at)) return {};
                continue;
            }
            auto& slot = slot_at(at);
            fetch_full(at);
            auto seen = slot.state.load(std::memory_order_acquire);
            if (LapWord::lap(seen) != at.lap()) continue;  // the head is elsewhere by now
            if (LapWord::phase(seen) == LapWord::full) {
                if (claim(slot, at, seen, LapWord::reading)) return {&slot, at};
            } else if (LapWord::phase(seen) < LapWord::full) {
                return {};
            } else {
                move(body_.head, at, at.next());
            }
        }
    }

    /// The item was taken out of the slot; what is left of it is dropped.
    void finish(RingClaim const& claim) {
        empty(*claim.slot, claim.at);
        leave(claim.at, claim.at.next());
        if (body_.maxsize != 0) body_.not_full.notify_one();
    }

    /// Claims one item after the other, up to `most`, has it looked at and finishes its slot; the
    /// head moves once. `visit(slot)` must not throw. Returns how many.
    template <class Visit>
    std::uint64_t get_some(std::uint64_t most, Visit visit) {
        for (;;) {
            Place const first{body_.head.load(std::memory_order_acquire)};
            if (first.at_end()) {
                if (!enter_next(first)) return 0;
                continue;
            }
            std::uint64_t n = 0;
            auto at = first;
            bool more = true;  // to be expected
            while (more && n < most && !at.at_end()) {
                auto& slot = slot_at(at);
                fetch_full(at);
                auto seen = slot.state.load(std::memory_order_acquire);
                if (LapWord::lap(seen) != at.lap()) break;  // the head is elsewhere by now
                if (LapWord::phase(seen) == LapWord::full) {
                    if (!claim(slot, at, seen, LapWord::reading)) continue;
                    visit(slot);
                    empty(slot, at);
                    ++n;
                } else if (LapWord::phase(seen) < LapWord::full) {
                    more = false;
                    continue;
                }
                at = at.next();
            }
            if (at != first) leave(first, at);
            if (n == 0 && more) continue;
            if (n != 0 && body_.maxsize != 0) {
                if (n == 1) body_.not_full.notify_one();
                else body_.not_full.notify_all();
            }
            return n;
        }
    }

    // ---- looking -----------------------------------------------------------------------------

    /// The number of the first item that is not yet being taken.
    [[gnu::noinline]] std::uint64_t head_number() {
        for (;;) {
            Place const at{body_.head.load()};
            auto const number = number_of(at);
            if (at.at_end()) {
                if (!enter_next(at) && body_.head.load() == at.bits) return number;
                continue;
            }
            auto const seen = slot_at(at).state.load(std::memory_order_acquire);
            if (LapWord::lap(seen) != at.lap()) continue;
            if (LapWord::phase(seen) <= LapWord::full) return number;
            move(body_.head, at, at.next());
        }
    }

    /// The number of the next item that is put.
    std::uint64_t tail_number() {
        for (;;) {
            Place const at{body_.tail.load()};
            auto const number = number_of(at);
            if (!at.at_end()) {
                auto const seen = slot_at(at).state.load(std::memory_order_acquire);
                if (LapWord::lap(seen) != at.lap()) continue;
                if (LapWord::phase(seen) != LapWord::empty) {
                    move(body_.tail, at, at.next());
                    continue;
                }
            }
            if (body_.tail.load() == at.bits) return number;
        }
    }

    /// How many items there are, those that are still being written included.
    std::uint64_t size() {
        auto const tail = tail_number();
        auto const count = static_cast<std::int64_t>(tail - head_number());
        return count > 0 ? static_cast<std::uint64_t>(count) : 0;
    }

    /// The state of the slot at the head; 0 at the end of the last segment.
    std::uint64_t head_state() {
        head_number();
        Place const at{body_.head.load()};
        return at.at_end() ? 0 : slot_at(at).state.load();
    }

private:
    static constexpr std::uint64_t ahead = 4;  // slots
    static constexpr std::uint64_t look_each = 16;

    static Place soon_after(Place at) { return Place{at.bits + (ahead << 20)}; }

    /// Has the lines of a slot brought here while another one is worked at: a step that waits for a
    /// line of another processor takes longer than all the rest of it.
    void fetch(Place soon) const {
        if (soon.slot() >= slots_per_segment) return;
        auto const* const slot = reinterpret_cast<std::byte const*>(&slot_at(soon));
        prefetch_to_write(slot);
        prefetch_to_write(slot + sizeof(RingSlot) / 2);
    }

    /// For getters: not a slot that a putter may be about to write.
    void fetch_full(Place at) {
        auto const soon = soon_after(at);
        auto const is_full = [&](Place tail) {
            return tail.lap() != at.lap() || tail.slot() > soon.slot();
        };
        Place known{body_.tail_seen.load(std::memory_order_relaxed)};
        if (!is_full(known)) {
            if (at.slot() % look_each != 0) return;  // a look takes the tail from the putters
            known = Place{body_.tail.load(std::memory_order_relaxed)};
            body_.tail_seen.store(known.bits, std::memory_order_relaxed);
            if (!is_full(known)) return;
        }
        fetch(soon);
    }

    /// The slot is this record's, in that phase, if it is as `seen`. At most one at a time is, so
    /// that a sweep finds it by the intent.
    bool claim(RingSlot& slot, Place at, std::uint64_t& seen, LapWord::Phase phase) {
        intend(at);
        return slot.state.compare_exchange_strong(seen, LapWord::pack(at.lap(), phase, index_));
    }

    /// The item was taken out of the slot; what is left of it is dropped.
    void empty(RingSlot& slot, Place at) {
        if (slot.message.load(std::memory_order_relaxed) != 0)
            Ledger(arena_, index_).drop(slot.message);
        slot.state.store(LapWord::pack(at.lap(), LapWord::done), std::memory_order_release);
    }

    /// Moves a hint on, or sees that others did. A read-modify-write in any case, so that of two
    /// who are done here the later one sees what the earlier one did to its slots, and neither
    /// reads an Event before its slots are seen to have changed.
    static void settle(Word& hint, Place from, Place to) {
        if (!move(hint, from, to)) [[unlikely]] hint.fetch_add(0);
    }

    /// The slots of a segment from one place to another are done. Either we see that the head has
    /// left the segment, or whoever moves it sees that they are.
    void leave(Place from, Place to) {
        settle(body_.head, from, to);
        if (Place{body_.head.load()}.lap() != from.lap()) [[unlikely]]
            retire(Ledger(arena_, index_), segment_at(from.segment()), from.lap());
    }

    /// A number read for a tail that has moved on may be wrong; the claim that follows then fails.
    bool is_full(Place tail) {
        return room_at(tail) == 0 && body_.tail.load() == tail.bits;
    }

    /// How many may be put before the ring is full.
    std::uint64_t room_at(Place tail) {
        auto const room = [&](std::uint64_t head) {
            auto const left = static_cast<std::int64_t>(body_.maxsize) -
                              static_cast<std::int64_t>(number_of(tail) - head);
            return left > 0 ? static_cast<std::uint64_t>(left) : 0;
        };
        if (auto const left = room(body_.head_seen.load(std::memory_order_relaxed))) return left;
        // Where the head stands, not whether the slot there is taken: getters write that. A head
        // that one who died left behind is moved on by who waits (Ring::settle_head).
        Place const at{body_.head.load()};
        auto const head = number_of(at);
        if (body_.head.load() != at.bits) return room_at(tail);
        body_.head_seen.store(head, std::memory_order_relaxed);
        return room(head);
    }
};

}  // namespace multiprocessing::heap
