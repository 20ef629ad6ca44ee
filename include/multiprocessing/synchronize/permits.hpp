// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/permits.hpp — the permits of a semaphore, counted or each with its
// holder.
// Layer 2 (synchronization). Stands for CPython's Modules/_multiprocessing/semaphore.c.
//
// Counted: one word, changed by one compare-and-swap; nothing to recover.
// With undo: a word per permit, absent -> free <-> held by a process. Each change is one
// compare-and-swap; held -> free also by whoever finds the holder dead. Who is killed before it has
// woken a sleeper delays that one by a slice.
#pragma once

#include <multiprocessing/heap/ring_wait.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/synchronize/holding.hpp>
#include <multiprocessing/timeout.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace multiprocessing::detail {

/// Lies in shared memory, its cells right behind it.
class Permits {
public:
    static constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
    /// With undo: so many may be there at least, if there is no bound, and at most.
    static constexpr std::uint64_t fewest_cells = 60;
    static constexpr std::uint64_t most_cells = 1u << 16;

    static heap::Tagged<Permits> make(std::uint64_t value, std::uint64_t bound, bool undo) {
        auto const cells =
            !undo ? 0 : std::min({bound, most_cells, std::max(2 * value, fewest_cells)});
        return heap::Tagged<Permits>::make(0, cells * 8, [&](heap::Header&, Permits& permits) {
            permits.bound_ = bound;
            permits.undo_ = undo;
            permits.count_ = static_cast<std::uint32_t>(cells);
            if (!undo) permits.value_.store(value, std::memory_order_relaxed);
            else for (auto& cell : permits.cells().first(value))
                cell.store(free, std::memory_order_relaxed);
        });
    }

    std::uint64_t bound() const { return bound_; }

    /// How many are free.
    std::uint64_t value() {
        if (!undo_) return value_.load(std::memory_order_relaxed);
        take_back();
        return static_cast<std::uint64_t>(
            std::ranges::count(cells(), free, [](heap::Word& cell) { return cell.load(); }));
    }

    bool take() {
        if (undo_) [[unlikely]] return take_cell();
        auto seen = value_.load(std::memory_order_relaxed);
        while (seen != 0)
            if (value_.compare_exchange_weak(seen, seen - 1)) return true;
        return false;
    }

    /// Blocks: until a permit is free, given back by a dead holder, or the deadline.
    [[gnu::noinline]] bool take_by(Deadline deadline) {
        return heap::try_until(
            sleepers_, deadline, [this] { return take(); }, [this] { take_back(); });
    }

    /// False when there would be too many.
    bool give() {
        if (undo_) [[unlikely]] {
            if (!give_cell()) return false;
            value_.fetch_add(1);
        } else {
            auto seen = value_.load(std::memory_order_relaxed);
            do {
                if (seen >= bound_) return false;
            } while (!value_.compare_exchange_weak(seen, seen + 1));
        }
        sleepers_.notify_one();
        return true;
    }

private:
    // A cell; anything else is a Holding.
    static constexpr std::uint64_t absent = 0, free = 1;

    std::span<heap::Word> cells() { return {reinterpret_cast<heap::Word*>(this + 1), count_}; }

    /// Changes the first cell that `from` holds for.
    template <class From>
    bool change(From from, std::uint64_t to) {
        for (auto& cell : cells()) {
            auto seen = cell.load(std::memory_order_relaxed);
            while (from(seen))
                if (cell.compare_exchange_weak(seen, to)) return true;
        }
        return false;
    }

    bool take_cell() {
        auto const mine = Holding::mine(2).bits();
        for (;;) {
            auto const given = value_.load();
            if (change([](std::uint64_t seen) { return seen == free; }, mine)) return true;
            if (value_.load() == given) return false;  // else one came free behind our back
        }
    }

    /// One of this process's; else, since a permit may be handed on, somebody's; else a new one.
    bool give_cell() {
        auto const mine = Holding::mine(2).bits();
        return change([&](std::uint64_t seen) { return seen == mine; }, free) ||
               change([](std::uint64_t seen) { return seen > free; }, free) ||
               change([](std::uint64_t seen) { return seen == absent; }, free);
    }

    /// From the dead.
    void take_back() {
        if (!undo_) return;
        bool any = false;
        std::uint64_t alive = 0;
        for (auto& cell : cells()) {
            auto seen = cell.load();
            if (seen <= free || seen == alive) continue;
            if (!Holding{seen}.ended()) alive = seen;
            else if (cell.compare_exchange_strong(seen, free)) any = true;
        }
        if (!any) return;
        value_.fetch_add(1);
        sleepers_.notify_all();
    }

    heap::Word value_{0};  // with undo: changes when a cell has become free
    std::uint64_t bound_ = most;
    heap::Event sleepers_;
    bool undo_ = false;
    std::uint32_t count_ = 0;
};
static_assert(sizeof(Permits) % 8 == 0);

}  // namespace multiprocessing::detail
