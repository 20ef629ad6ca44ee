// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring.hpp — a queue of byte strings and messages for a process tree.
// Layer 2 (heap). Mirrors the pipe and the locks in Lib/multiprocessing/queues.py.
#pragma once

#include <multiprocessing/heap/ring_recovery.hpp>
#include <multiprocessing/heap/ring_wait.hpp>
#include <multiprocessing/heap/shared.hpp>
#include <multiprocessing/heap/sweep.hpp>

#include <optional>
#include <span>

namespace multiprocessing::heap {

struct RingOptions {
    std::uint64_t maxsize = 0;       // 0: no bound
    std::uint64_t type = 0;          // for the layers above
    bool redeliver = false;          // an item whose getter died in the visit is put again
    std::uint64_t first_number = 0;  // for tests of the counters' wrap
};

/// An item while its getter holds the slot. Valid only during the visit.
class RingItem {
public:
    explicit RingItem(RingSlot& slot) : slot_(slot) {}

    /// The bytes of an item that lies in the ring; empty for a message.
    std::span<std::byte const> bytes() const {
        return is_message() ? std::span<std::byte const>{}
                            : std::span<std::byte const>{slot_.bytes.data(), slot_.size};
    }
    bool is_message() const { return slot_.size == RingSlot::is_message; }
    Ref ref() const { return Ref{slot_.message.load(std::memory_order_relaxed)}; }
    /// How many items were put before it; those that their putters did not finish count.
    std::uint64_t number() const {
        auto& arena = State::instance().arena;
        auto const offset = arena.offset_of(&slot_);
        auto const& segment = RingSteps::segment_at(arena, offset / segment_bytes);
        return segment.base.load(std::memory_order_relaxed) +
               static_cast<std::uint64_t>(&slot_ - segment.slots.data());
    }
    Header& message() const { return *State::instance().arena.at<Header>(ref().offset()); }

    /// The message is the caller's from now on; one that is not taken is dropped after the visit.
    Hand take() {
        auto hand = Hand::take(slot_.message);
        slot_.message.store(0, std::memory_order_release);
        return hand;
    }

private:
    RingSlot& slot_;
};

/// A handle of a ring. First in, first out; any number of processes and threads put and get at
/// once. An item is delivered once, unless the process that was getting it dies with it.
/// A process that is *stopped*, not killed, while it writes a slot holds up those behind it.
class Ring {
public:
    Ring() = default;
    explicit Ring(Shared shared) : shared_(std::move(shared)), body_(shared_.body<RingBody>()) {}

    /// Errors: MemoryError.
    static Ring make(RingOptions options = {}) {
        return Ring{Shared::make(Kind::ring, 0, sizeof(RingBody), [&](std::byte* place) {
            auto& body = *reinterpret_cast<RingBody*>(place);
            body.maxsize = options.maxsize;
            body.type = options.type;
            body.redeliver = options.redeliver ? 1 : 0;
            body.first_number = options.first_number;
            body.head_seen.store(options.first_number, std::memory_order_relaxed);
            body.tail.store(Place::before_first().bits, std::memory_order_relaxed);
            body.head.store(Place::before_first().bits, std::memory_order_relaxed);
        })};
    }

    Shared const& shared() const { return shared_; }
    explicit operator bool() const { return body_ != nullptr; }
    std::uint64_t maxsize() const { return body_->maxsize; }
    std::uint64_t type() const { return body_->type; }

    // ---- putting. False: the ring is full, and nothing was put. ----

    /// Puts `size` bytes, at most inline_bytes, which `write(std::byte*)` writes; it must not
    /// throw.
    template <class Write>
    bool try_put(std::uint64_t size, Write write) {
        auto steps = my_steps();
        Patience::has_put();
        auto const claim = steps.claim_empty();
        if (!claim) return false;
        claim.slot->size = size;
        write(claim.slot->bytes.data());
        steps.publish(claim);
        return true;
    }
    bool try_put(std::span<std::byte const> bytes) {
        return try_put(bytes.size(), [&](std::byte* to) {
            if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
        });
    }
    /// Puts a message; on success the hand is empty.
    bool try_put(Hand& message) {
        auto steps = my_steps();
        Patience::has_put();
        auto const claim = steps.claim_empty();
        if (!claim) return false;
        claim.slot->size = RingSlot::is_message;
        claim.slot->message.store(message.ref().bits, std::memory_order_release);
        message.forget();
        steps.publish(claim);
        return true;
    }

    /// Puts up to `most` items of `size` bytes each; `write(std::byte*, i)` writes the i-th.
    /// Returns how many there was room for.
    template <class Write>
    std::uint64_t try_put_some(std::uint64_t most, std::uint64_t size, Write write) {
        Patience::has_put();
        return my_steps().put_some(most, [&](RingSlot& slot, std::uint64_t i) {
            slot.size = size;
            write(slot.bytes.data(), i);
        });
    }

    /// The same, waiting for room until the deadline.
    template <class Write>
    std::uint64_t put_some(std::uint64_t most, std::uint64_t size, Write write,
                           Deadline deadline) {
        std::uint64_t n = 0;
        wait(body_->not_full, deadline, [&] { return (n = try_put_some(most, size, write)) != 0; });
        return n;
    }
    template <class Write>
    bool put(std::uint64_t size, Write write, Deadline deadline) {
        return wait(body_->not_full, deadline, [&] { return try_put(size, write); });
    }
    bool put(std::span<std::byte const> bytes, Deadline deadline) {
        return wait(body_->not_full, deadline, [&] { return try_put(bytes); });
    }
    bool put(Hand& message, Deadline deadline) {
        return wait(body_->not_full, deadline, [&] { return try_put(message); });
    }

    // ---- getting. False: there is no item. ----

    /// Calls `visit(RingItem&)` on the first item while its slot is held. If this process dies in
    /// the visit, the item is gone, or put again in a ring that redelivers. The visit should be
    /// short and must not use a ring. When it throws, the item counts as got.
    template <class Visit>
    bool try_get(Visit&& visit) {
        auto steps = my_steps();
        auto const claim = steps.claim_full();
        if (!claim) return false;
        RingItem item(*claim.slot);
        try {
            visit(item);
        } catch (...) {
            steps.finish(claim);
            throw;
        }
        steps.finish(claim);
        return true;
    }

    template <class Visit>
    bool get(Visit&& visit, Deadline deadline) {
        return wait(body_->not_empty, deadline, [&] { return try_get(visit); });
    }

    /// The same for up to `most` items, one after the other; the visit must not throw. Returns how
    /// many there were.
    template <class Visit>
    std::uint64_t get_some(std::uint64_t most, Visit visit, Deadline deadline) {
        std::uint64_t n = 0;
        auto const try_it = [&] {
            n = my_steps().get_some(most, [&](RingSlot& slot) {
                RingItem item(slot);
                visit(item);
            });
            return n != 0;
        };
        wait(body_->not_empty, deadline, try_it);
        return n;
    }

    /// As get(), of a ring that redelivers: if this process dies in the visit, the item is put
    /// again unless the visit has stored ring_intent::name_of(item.number()) in the lower half of
    /// `word`, which must outlive the recovery of this process.
    template <class Visit>
    bool get_for(Word& word, Visit&& visit, Deadline deadline) {
        auto& arena = State::instance().arena;
        auto& taken = arena.record(ThreadRecord::index()).ring[ring_intent::taken];
        struct Forget {
            ~Forget() { taken.store(0, std::memory_order_release); }
            Word& taken;
        } const forget{taken};
        taken.store(arena.offset_of(&word), std::memory_order_release);
        return get(visit, deadline);
    }

    // ---- looking; out of date as soon as it is known ----

    /// How many items were ever put, those that their putters did not finish included.
    std::uint64_t put_so_far() const { return my_steps().tail_number(); }

    /// The number of the item that a thread of that record holds in a visit.
    std::optional<std::uint64_t> got_by(std::uint16_t index) const {
        auto& arena = State::instance().arena;
        auto const intent = arena.record(index).ring[ring_intent::slot].load();
        if (intent == 0) return std::nullopt;
        Ledger ledger{arena, index};
        auto const claim = ring_recovery::claim_of(ledger, intent);
        auto& segment = RingSteps::segment_at(arena, claim.at.segment());
        auto const base = segment.base.load();
        if (segment.ring.load() != shared_.ref().bits ||
            !ring_recovery::holds(ledger, claim, LapWord::reading))
            return std::nullopt;
        return base + claim.at.slot();
    }

    std::uint64_t size() const { return my_steps().size(); }
    /// Nothing could be got now.
    bool empty() const {
        auto const state = my_steps().head_state();
        return state == 0 || LapWord::phase(state) < LapWord::full;
    }
    /// Nothing could be put now.
    bool full() const { return maxsize() != 0 && size() >= maxsize(); }

    /// What others wait for, for whoever waits for several things at once.
    Event& not_empty() const { return body_->not_empty; }
    Event& not_full() const { return body_->not_full; }

    /// If the item at the head is being written by a process that died, settles that.
    void settle_head() const {
        auto const state = my_steps().head_state();
        auto const phase = LapWord::phase(state);
        if (phase == LapWord::writing || phase == LapWord::reading)
            sweep_owner(LapWord::owner(state));
    }

    friend bool operator==(Ring const& a, Ring const& b) { return a.shared_ == b.shared_; }

private:
    RingSteps my_steps() const {
        auto const index = ThreadRecord::index();
        return {State::instance().arena, index, *body_};
    }

    template <class Try>
    bool wait(Event& event, Deadline deadline, Try try_it) {
        return try_until(event, deadline, try_it, [this] { settle_head(); },
                         &event == &body_->not_full ? Patience::pauses_of_putter
                                                    : Patience::pauses_of_getter());
    }

    Shared shared_;
    RingBody* body_ = nullptr;
};

}  // namespace multiprocessing::heap
