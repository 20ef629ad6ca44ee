// SPDX-License-Identifier: MIT
// multiprocessing/heap/slots.hpp — one slot per process: made by the parent, taken by the child,
// swept by anyone.
// Layer 2 (heap).
//
// free -> prepared (parent)  references of the child are counted from now on
//      -> adopting (child)   one compare-and-swap, which tells the child's pid; a child whose slot
//                            was swept meanwhile must go
//      -> live (child)       once the slot knows the process
//      -> free (sweeper)     after its death; with the next generation
// A prepared slot whose parent died is swept as the last step of sweeping the parent.
#pragma once

#include <multiprocessing/heap/hand.hpp>

#include <algorithm>
#include <cstring>

namespace multiprocessing::heap {

/// A process of the tree at one moment of its slot's life; a later process has another generation.
struct SlotStamp {
    std::uint32_t slot = 0;
    std::uint64_t generation = 0;
    bool operator==(SlotStamp const&) const = default;
    constexpr explicit operator bool() const { return slot != 0; }
    constexpr std::uint64_t bits() const { return std::uint64_t{slot} << 24 | generation; }
    static constexpr SlotStamp from(std::uint64_t bits) {
        return {static_cast<std::uint32_t>(bits >> 24), bits & 0xffffff};
    }
};

inline SlotStamp my_stamp() {
    auto& state = State::instance();
    if (state.foreign) State::refuse_foreign();
    return {state.slot, state.generation};
}

inline Slot& slot_of(SlotStamp stamp) { return State::instance().arena.slot(stamp.slot); }

/// Still the same process's slot, dead or alive.
inline bool is_current(SlotStamp stamp) {
    auto const word = slot_of(stamp).state.load(std::memory_order_acquire);
    return Slot::generation(word) == stamp.generation && Slot::phase(word) != Slot::free;
}

/// Of a slot that is live: its process ended, or replaced its program and so cannot touch anything
/// here again.
inline bool process_is_dead(Slot& slot) {
    platform::ProcessIdentity const process{
        static_cast<std::int64_t>(slot.pid.load(std::memory_order_acquire)),
        slot.start_time.load(std::memory_order_acquire)};
    return platform::liveness(process) == platform::Liveness::dead ||
           platform::left_memory(
               process,
               platform::handle_of_number(slot.arena_handle.load(std::memory_order_relaxed)),
               State::instance().arena.memory().handle());
}

/// Whether the process of a slot in that state has ended, swept or not.
inline bool is_over(Slot& slot, std::uint64_t state) {
    switch (Slot::phase(state)) {
    case Slot::ended: return true;
    case Slot::live: return process_is_dead(slot);
    case Slot::adopting:
        return platform::liveness({Slot::adopting_pid(state), 0}) == platform::Liveness::dead;
    default: return false;
    }
}

/// True when the process of that stamp ended, swept or not. A child that has not begun is alive.
inline bool is_dead(SlotStamp stamp) {
    auto& slot = slot_of(stamp);
    auto const word = slot.state.load(std::memory_order_acquire);
    if (Slot::generation(word) != stamp.generation || Slot::phase(word) == Slot::free) return true;
    return is_over(slot, word);
}

namespace slots {

inline void set_name(Slot& slot, std::string_view name) {
    auto const n = std::min(name.size(), slot.name.size() - 1);
    std::memcpy(slot.name.data(), name.data(), n);
    slot.name[n] = '\0';
}
inline std::string name(Slot const& slot) {
    return std::string(slot.name.data(), ::strnlen(slot.name.data(), slot.name.size()));
}

/// A free slot, now prepared in the name of the calling process.
inline SlotStamp take(State& state) {
    auto& header = state.arena.header();
    for (std::uint32_t i = 0; i < max_slots - 1; ++i) {
        auto const index = static_cast<std::uint32_t>(
            1 + (header.slot_cursor.load(std::memory_order_relaxed) + i) % (max_slots - 1));
        auto& slot = state.arena.slot(index);
        auto seen = slot.state.load(std::memory_order_acquire);
        if (Slot::phase(seen) != Slot::free) continue;
        for (auto mark = header.slot_mark.load();
             mark <= index && !header.slot_mark.compare_exchange_weak(mark, index + 1);) {}
        auto const generation = Slot::generation(seen);
        if (!slot.state.compare_exchange_strong(
                seen, Slot::pack(generation, Slot::prepared, state.slot, state.generation)))
            continue;
        return {index, generation};
    }
    throw MemoryError("more than " + std::to_string(max_slots - 1) +
                      " processes in this process tree");
}

/// The calling process becomes the one of that slot. False when the slot was swept meanwhile.
inline bool adopt(State& state, SlotStamp stamp) {
    auto& slot = state.arena.slot(stamp.slot);
    auto seen = slot.state.load(std::memory_order_acquire);
    auto const me = platform::this_process();
    if (Slot::generation(seen) != stamp.generation || Slot::phase(seen) != Slot::prepared ||
        !slot.state.compare_exchange_strong(seen, Slot::pack_adopting(stamp.generation, me.pid)))
        return false;
    // Only now: until the swap the slot may be swept, and be another process's already.
    slot.start_time.store(me.start_time, std::memory_order_relaxed);
    slot.arena_handle.store(platform::number_of_handle(state.arena.memory().handle()),
                            std::memory_order_relaxed);
    slot.pid.store(static_cast<std::uint64_t>(me.pid), std::memory_order_relaxed);
    slot.state.store(Slot::pack(stamp.generation, Slot::live, Slot::creator(seen),
                                Slot::creator_generation(seen)),
                     std::memory_order_release);
    state.slot = stamp.slot;
    state.generation = stamp.generation;
    return true;
}

/// Every word of a slot that may hold a reference, chunk by chunk.
template <class Visit>
void for_each_holding(Ledger& ledger, Slot& slot, Visit visit) {
    for (auto& word : slot.holdings) visit(word);
    auto* more = &slot.more;
    while (auto* const chunk = ledger.header(Ref{more->load(std::memory_order_acquire)})) {
        for (auto& word : reinterpret_cast<HoldingsChunk*>(chunk->body())->holdings) visit(word);
        more = &chunk->link(0);
    }
}

/// Links a chunk of empty holdings at `more`, which then is where the next one goes. Linked before
/// its words are used, so a sweep finds every word that may hold a reference.
inline std::array<Word, holdings_per_chunk>& add_chunk(Word*& more) {
    auto hand = Hand::allocate(Kind::message, 1, sizeof(HoldingsChunk));
    auto& chunk = *reinterpret_cast<HoldingsChunk*>(hand.body());
    for (auto& word : chunk.holdings) word.store(0, std::memory_order_relaxed);
    auto& next = hand.header().link(0);
    more->store(hand.ref().bits, std::memory_order_release);
    hand.forget();
    more = &next;
    return chunk.holdings;
}

}  // namespace slots

inline void State::begin() {
    inheritance = Inheritance::mine();
    if (auto const& inherited = inheritance) {
        platform::set_inheritable(inherited->handle, false);  // another program has no use for it
        arena = Arena::attach(platform::Handle{inherited->handle}, inherited->reserved);
        if (arena.header().id != inherited->arena_id)
            throw RuntimeError("the inherited arena belongs to another process tree");
        if (!slots::adopt(*this, {inherited->slot, inherited->generation}))
            platform::exit_process(1);  // the parent died before we began; our slot is swept
    } else {
        arena = Arena::create();
        auto const mine = slots::take(*this);
        slots::adopt(*this, mine);
        slots::set_name(arena.slot(mine.slot), "MainProcess");
    }
    platform::at_fork(&before_fork, &after_fork_in_parent, &after_fork_in_child);
}

inline void State::before_fork() {
    if (!instance().is_forking()) instance().mutex.lock();
}
inline void State::after_fork_in_parent() {
    if (!instance().is_forking()) instance().mutex.unlock();
}
inline void State::after_fork_in_child() {
    auto& state = instance();
    state.epoch.fetch_add(1);
    if (state.is_forking()) return;
    state.foreign = true;
    state.mutex.unlock();
}

}  // namespace multiprocessing::heap
