// SPDX-License-Identifier: MIT
// multiprocessing/heap/fork.hpp — a child's slot before there is a child, and what the child does
// with it.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/shared.hpp>
#include <multiprocessing/heap/sweep.hpp>

#include <thread>

namespace multiprocessing::heap {

/// A slot prepared for a child that is about to be started. Unless the child was started, it is
/// swept when this is destroyed.
class ChildSlot {
public:
    explicit ChildSlot(std::string_view name) : stamp_(take()) {
        auto& state = State::instance();
        auto& slot = state.my_slot();
        auto& mine = slot_of(stamp_);
        mine.parent_pid.store(slot.pid.load(), std::memory_order_relaxed);
        mine.parent_start_time.store(slot.start_time.load(), std::memory_order_relaxed);
        slots::set_name(mine, name);
    }
    ChildSlot(ChildSlot const&) = delete;
    ChildSlot& operator=(ChildSlot const&) = delete;
    ~ChildSlot() {
        if (stamp_) sweep(stamp_, true);
    }

    SlotStamp stamp() const { return stamp_; }

    /// What a spawned child reads first.
    void leave(Hand&& message) {
        slot_of(stamp_).inbox.store(message.ref().bits, std::memory_order_release);
        message.forget();
    }

    /// The child's references: one for every object that this process holds. The caller has the
    /// state's mutex, so nothing changes until the fork.
    void copy_references() {
        auto& state = State::instance();
        auto ledger = heap::ledger();
        auto& slot = slot_of(stamp_);
        auto* words = &slot.holdings;
        auto* more = &slot.more;
        std::size_t next = 0;
        for (auto const& [bits, held] : state.held) {
            if (next == words->size()) {
                words = &slots::add_chunk(more);
                next = 0;
            }
            ledger.change(held->ref, true, (*words)[next++], 0, bits);
        }
    }

    /// The child runs, or will: the slot is its own business now.
    SlotStamp started() { return std::exchange(stamp_, {}); }

private:
    /// Descendants that nobody here waits for are swept now and then, and when there is no slot.
    static SlotStamp take() {
        auto& state = State::instance();
        if (state.arena.header().children.fetch_add(1) % 64 == 63) sweep_dead();
        try {
            return slots::take(state);
        } catch (MemoryError const&) {
            if (!sweep_dead()) throw;
            return slots::take(state);
        }
    }

    SlotStamp stamp_;
};

/// In a child that has just been forked: the parent's handles become the child's own.
/// False when the slot was swept meanwhile, since the parent died: the child must go.
inline bool adopt_after_fork(SlotStamp stamp) {
    auto& state = State::instance();
    if (!slots::adopt(state, stamp)) return false;
    state.foreign = false;
    state.free_holdings.clear();
    state.last_more = nullptr;
    if (state.held.empty()) return true;  // nothing was copied: the slot is as a new one
    auto ledger = heap::ledger();
    auto& slot = state.my_slot();
    state.last_more = &slot.more;
    while (auto* const chunk = ledger.header(Ref{state.last_more->load()}))
        state.last_more = &chunk->link(0);
    slots::for_each_holding(ledger, slot, [&state](Word& word) {
        auto const found = state.held.find(word.load(std::memory_order_relaxed));
        if (found != state.held.end())
            found->second->holding = &word;
        else
            state.free_holdings.push_back(&word);
    });
    return true;
}

/// Forks with a prepared slot. In the child everything of the heap is its own when this returns.
/// Errors: OSError; the slot is swept then. In the child: the process exits when its parent died
/// before it began.
inline platform::ForkResult fork(ChildSlot& slot) {
    auto& state = State::instance();
    (void)ledger();  // a foreign process may not get so far
    std::unique_lock guard(state.mutex);
    slot.copy_references();
    state.forking = std::this_thread::get_id();
    auto const result = [&] {
        try {
            return platform::fork_process();
        } catch (...) {
            state.forking = std::thread::id{};
            throw;
        }
    }();
    state.forking = std::thread::id{};
    if (result.side == platform::ForkSide::child) {
        if (!adopt_after_fork(slot.started())) platform::exit_process(1);
    } else {
        slot.started();
    }
    return result;
}

}  // namespace multiprocessing::heap
