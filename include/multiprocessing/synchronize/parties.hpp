// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/parties.hpp — who has arrived at a barrier, and what became of the
// round.
// Layer 2 (synchronization). Takes the place of the count and state in Lib/threading.py's Barrier.
//
// One word for the round:   filling -> draining           by the last who arrived
//                           filling -> resetting           by reset
//                           any -> broken                  by a time-out, abort, an action that
//                                                          threw, or who finds a party dead
//                           broken -> resetting            by reset
//                           draining, resetting -> filling of the next round, by whoever finds
//                                                          that all have left
// One word per party: free of this round -> its process -> free of the next round. So a claim that
// succeeds was counted in the round that it looked at, whatever happened to the round meanwhile.
// Who is killed where, and what the living see:
//   before its claim                it never arrived
//   between its claim and draining  the next one in the ring of parties looks, each slice, and
//                                   breaks the round in the dead one's name; so is it for the last
//                                   one, whose action may be half done
//   after that                      its word is freed for it by those who want to enter
//   in the midst of the drain       anyone else finishes it
// Who waits for the drain, or for a release whose waker died, looks again after a slice.
#pragma once

#include <multiprocessing/heap/ring_wait.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/synchronize/holding.hpp>
#include <multiprocessing/timeout.hpp>

#include <cstdint>
#include <span>

namespace multiprocessing::detail {

/// phase:2 | round:30 | pid of the dead party that broke it:32.
class Round {
public:
    enum Phase : std::uint64_t { filling = 0, draining = 1, resetting = 2, broken = 3 };

    constexpr explicit Round(std::uint64_t bits) : bits_(bits) {}

    constexpr std::uint64_t bits() const { return bits_; }
    constexpr Phase phase() const { return static_cast<Phase>(bits_ & 3); }
    constexpr std::uint64_t number() const { return bits_ >> 2 & 0x3fff'ffff; }
    constexpr std::uint64_t pid() const { return bits_ >> 32; }
    constexpr bool is_over() const { return phase() == draining || phase() == resetting; }

    constexpr Round to(Phase phase) const { return Round{(bits_ & ~3ull) | phase}; }
    constexpr Round broken_by(std::uint64_t pid) const {
        return Round{pid << 32 | number() << 2 | broken};
    }
    constexpr Round next() const { return Round{((number() + 1) & 0x3fff'ffff) << 2 | filling}; }

    // What a party's word is before it arrives in this round, and then.
    constexpr std::uint64_t free() const { return number() << 4 | is_free; }
    Holding held() const { return Holding::mine(is_held, number() & 0xff'ffff); }
    constexpr bool is_held_in(Holding party) const {
        return party.what() == is_held && party.more() == (number() & 0xff'ffff);
    }

private:
    static constexpr std::uint64_t is_free = 1, is_held = 2;

    std::uint64_t bits_;
};

/// Lies in shared memory, its cells right behind it.
class Parties {
public:
    struct Cell {
        heap::Word state;
        heap::Word pid;  // of the process that holds it, to name it when its slot is swept
    };

    void begin(std::uint64_t parties, Timeout timeout) {
        parties_ = parties;
        timeout_ns_ = timeout.ns();
        for (auto& cell : cells()) cell.state.store(Round{0}.free(), std::memory_order_relaxed);
    }

    std::uint64_t parties() const { return parties_; }
    Timeout timeout() const { return Timeout::from_ns(timeout_ns_); }
    Round now() const { return Round{round_.load()}; }

    /// How many have arrived and wait to be released.
    std::uint64_t waiting() {
        auto const round = now();
        if (round.phase() != Round::filling) return 0;
        std::uint64_t n = 0;
        for (auto& cell : cells()) n += round.is_held_in(holder(cell)) ? 1u : 0u;
        return n;
    }

    struct Place {
        Round round;
        std::uint64_t index = 0;
    };

    /// Arrives. The place's round is broken when it was, and then nobody arrived.
    /// Blocks: while the parties of the round before leave, or an action runs.
    Place enter() {
        Place place{Round{0}};
        heap::try_until(
            drained_, Deadline{}, [&] { return try_enter(place); }, [&] { look_after_the_dead(); });
        return place;
    }

    bool is_last(Place const& place) const { return place.index + 1 == parties_; }

    /// By the last: lets the others go. Returns what the round has become.
    Round release(Place const& place) {
        change(place.round, place.round.to(Round::draining));
        return now();
    }

    /// By any other: what the round has become.
    /// Blocks: until it is not filling; after the deadline no longer than the last one's action.
    Round wait(Place const& place, Deadline deadline) {
        for (;;) {
            if (heap::try_until(
                    turn_, deadline, [&] { return now().bits() != place.round.bits(); },
                    [&] { look_after_next(place); }))
                return now();
            if (place.round.is_held_in(holder(cells().back()))) deadline = Deadline{};
            else change(place.round, place.round.broken_by(0));
        }
    }

    /// Whatever the round has become.
    void leave(Place const& place) {
        auto& cell = cells()[place.index];
        cell.pid.store(0, std::memory_order_relaxed);
        cell.state.store(place.round.next().free());
        finish(false);
    }

    void break_round() {
        auto seen = now();
        while (seen.phase() != Round::broken && !change(seen, seen.broken_by(0))) seen = now();
    }

    void reset() {
        auto seen = now();
        while (seen.phase() == Round::broken || (seen.phase() == Round::filling && waiting() != 0))
            if (change(seen, seen.to(Round::resetting))) break;
            else seen = now();
        finish(true);
    }

private:
    std::span<Cell> cells() { return {reinterpret_cast<Cell*>(this + 1), parties_}; }

    static Holding holder(Cell const& cell) { return Holding{cell.state.load()}; }

    /// One step of the round, and waking those whom it concerns.
    bool change(Round from, Round to) {
        auto seen = from.bits();
        if (!round_.compare_exchange_strong(seen, to.bits())) return false;
        turn_.notify_all();
        if (!to.is_over()) drained_.notify_all();
        return true;
    }

    bool try_enter(Place& place) {
        finish(false);
        auto const round = now();
        place.round = round;
        if (round.phase() != Round::filling) return round.phase() == Round::broken;
        auto const mine = round.held();
        place.index = 0;
        for (auto& cell : cells()) {
            auto seen = cell.state.load(std::memory_order_relaxed);
            while (seen == round.free())
                if (cell.state.compare_exchange_weak(seen, mine.bits())) {
                    cell.pid.store(heap::slot_of(mine.stamp()).pid.load());
                    return true;
                }
            ++place.index;
        }
        return false;
    }

    /// Begins the next round when all have left this one.
    void finish(bool without_the_dead) {
        auto const round = now();
        if (!round.is_over()) return;
        auto const next = round.next();
        for (auto& cell : cells()) {
            auto seen = cell.state.load();
            while (seen != next.free()) {
                if (seen != round.free()) {
                    Holding const party{seen};
                    if (!without_the_dead || !round.is_held_in(party) || !party.ended()) return;
                    cell.pid.store(0, std::memory_order_relaxed);
                }
                if (cell.state.compare_exchange_weak(seen, next.free())) break;
            }
        }
        change(round, next);
    }

    /// For who waits in a round: whoever stands behind it in the ring, and in another process.
    void look_after_next(Place const& place) {
        auto const all = cells();
        for (std::uint64_t i = 1; i < parties_; ++i) {
            auto& cell = all[(place.index + i) % parties_];
            auto const party = holder(cell);
            if (!place.round.is_held_in(party) || party.is_mine()) continue;
            return break_for(place.round, cell);
        }
    }

    /// For who waits to enter.
    void look_after_the_dead() {
        finish(true);
        auto const round = now();
        if (round.phase() == Round::filling) break_for(round, cells().back());
    }

    void break_for(Round round, Cell& cell) {
        auto const party = holder(cell);
        if (!round.is_held_in(party)) return;
        auto pid = cell.pid.load();
        if (pid == 0) pid = heap::slot_of(party.stamp()).pid.load();  // it died just there
        if (party.ended()) change(round, round.broken_by(pid));
    }

    heap::Word round_{0};
    std::uint64_t parties_ = 0;
    std::uint64_t timeout_ns_ = 0;
    heap::Event turn_;     // those who have arrived
    heap::Event drained_;  // those who want to
};

}  // namespace multiprocessing::detail
