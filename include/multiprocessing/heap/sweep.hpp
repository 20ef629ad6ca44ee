// SPDX-License-Identifier: MIT
// multiprocessing/heap/sweep.hpp — clearing the slot of a dead process: its unfinished steps, then
// its references.
// Layer 2 (heap).
//
// A sweeper claims the slot by one compare-and-swap, then goes on in the dead threads' own records,
// so a killed sweeper leaves nothing of its own: the next one reads the same records and goes on.
// Only the slot's state, written last, ends a sweep.
#pragma once

#include <multiprocessing/heap/slots.hpp>

namespace multiprocessing::heap {

namespace sweeping {

inline std::uint64_t stamp_of(Arena& arena, std::uint16_t index) {
    return std::uint64_t{index} << 32 |
           Record::generation(arena.record(index).state.load(std::memory_order_relaxed));
}

inline bool still_sweeping(Arena& arena, std::uint64_t stamp) {
    auto const state = arena.record(static_cast<std::uint32_t>(stamp >> 32))
                           .state.load(std::memory_order_acquire);
    return Record::in_use(state) &&
           Record::generation(state) == static_cast<std::uint32_t>(stamp) &&
           !process_is_dead(arena.slot(Record::slot(state)));
}

/// The calling thread is the one that sweeps the slot, unless another living one is.
class Claim {
public:
    Claim(Arena& arena, Slot& slot)
        : slot_(slot), mine_(stamp_of(arena, ThreadRecord::index())) {
        auto holder = slot.sweeper.load(std::memory_order_acquire);
        if (holder == 0 || (holder != mine_ && !still_sweeping(arena, holder)))
            ours_ = slot.sweeper.compare_exchange_strong(holder, mine_);
    }
    Claim(Claim const&) = delete;
    Claim& operator=(Claim const&) = delete;
    ~Claim() {
        auto expected = mine_;
        if (ours_) slot_.sweeper.compare_exchange_strong(expected, 0);
    }
    explicit operator bool() const { return ours_; }

private:
    Slot& slot_;
    std::uint64_t mine_;
    bool ours_ = false;
};

inline void clear_records(Arena& arena, std::uint32_t slot) {
    auto const mark = arena.header().record_mark.load(std::memory_order_acquire);
    for (std::uint32_t i = max_slots; i < mark; ++i) {
        auto& record = arena.record(i);
        auto const state = record.state.load(std::memory_order_acquire);
        if (!Record::in_use(state) || Record::slot(state) != slot) continue;
        Ledger{arena, static_cast<std::uint16_t>(i)}.recover();
        record.state.store(Record::pack(Record::generation(state) + 1, 0, false),
                           std::memory_order_release);
    }
}

inline void clear_references(Arena& arena, std::uint32_t index) {
    auto& slot = arena.slot(index);
    Ledger own{arena, static_cast<std::uint16_t>(index)};  // the record that belongs to the slot
    own.recover();
    slots::for_each_holding(own, slot, [&own](Word& word) { own.drop(word); });
    own.drop(slot.inbox);
    own.drop(slot.more);
}

}  // namespace sweeping

/// Clears a slot whose process ended, or, as its parent knows, never began. Who has seen it end
/// need not have the system asked. False when another living thread is at it, or when there is
/// nothing (more) to do. Never blocks.
inline bool sweep(SlotStamp stamp, bool never_began = false, bool has_ended = false) {
    auto& arena = State::instance().arena;
    auto& slot = arena.slot(stamp.slot);
    sweeping::Claim const claim{arena, slot};
    if (!claim) return false;

    auto state = slot.state.load(std::memory_order_acquire);
    auto const phase = Slot::phase(state);
    auto const ours = Slot::generation(state) == stamp.generation &&
                      ((has_ended && (phase == Slot::live || phase == Slot::adopting)) ||
                       is_over(slot, state) ||
                       (never_began && (phase == Slot::prepared || slot.pid.load() == 0))) &&
                      slot.state.compare_exchange_strong(
                          state, Slot::pack(stamp.generation, Slot::ended, Slot::creator(state),
                                            Slot::creator_generation(state)));
    if (ours) {
        sweeping::clear_records(arena, stamp.slot);
        for (std::uint32_t i = 1; i < arena.header().slot_mark.load(); ++i) {
            auto const child = arena.slot(i).state.load(std::memory_order_acquire);
            if (i != stamp.slot && Slot::phase(child) == Slot::prepared &&
                Slot::creator(child) == stamp.slot &&
                Slot::creator_generation(child) == (stamp.generation & 0xfffff))
                sweep({i, Slot::generation(child)}, true);
        }
        sweeping::clear_references(arena, stamp.slot);
        slot.notes.store(0, std::memory_order_relaxed);
        slot.pid.store(0, std::memory_order_relaxed);
        slot.state.store(Slot::pack(stamp.generation + 1, Slot::free, 0, 0),
                         std::memory_order_release);
    }
    return ours;
}

/// Sweeps every process of the tree that ended. True when there was one. Never blocks.
inline bool sweep_dead() {
    auto& state = State::instance();
    bool any = false;
    for (std::uint32_t i = 1; i < state.arena.header().slot_mark.load(); ++i) {
        auto& slot = state.arena.slot(i);
        auto const word = slot.state.load(std::memory_order_acquire);
        if (i == state.slot || !is_over(slot, word)) continue;
        any = sweep({i, Slot::generation(word)}) || any;
    }
    return any;
}

inline bool relieve() {
    auto const swept = sweep_dead();
    return ledger().blocks().trim() != 0 || swept;
}

/// Asks whether the process behind a record's owner stamp ended, and if so sweeps it: what the
/// owner held is settled when this returns true. For whoever waits longer than a moment.
inline bool sweep_owner(std::uint16_t index) {
    auto& arena = State::instance().arena;
    auto const record = arena.record(index).state.load(std::memory_order_acquire);
    auto const slot = index < max_slots ? index : Record::slot(record);
    if (index >= max_slots && !Record::in_use(record)) return true;
    auto const word = arena.slot(slot).state.load(std::memory_order_acquire);
    if (is_over(arena.slot(slot), word)) return sweep({slot, Slot::generation(word)});
    return Slot::phase(word) == Slot::free;
}

}  // namespace multiprocessing::heap
