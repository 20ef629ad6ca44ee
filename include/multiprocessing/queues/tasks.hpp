// SPDX-License-Identifier: MIT
// multiprocessing/queues/tasks.hpp — what was got out of a joinable queue and is not done yet.
// Layer 4 (channels). Takes the place of the semaphore of unfinished tasks in CPython's
// JoinableQueue.
//
// No count is kept of what is unfinished. It is what lies in the ring, and what the cells hold: one
// for each thread that gets, its word `held` = how many are not done:32 | name of the last got:32.
// Who is killed where, and what the living see:
//   put                         the item is in the ring, or was never put
//   get, before `held` changed  the ring puts the item again; it was never got
//   get, after that             the item is the dead one's, not done
//   between get and task_done   the same: a join() that looks, each slice, takes it out of the cell
//                               by one compare-and-swap and throws, naming the process
//   task_done                   one compare-and-swap; done or not done
// A cell is free for others when its thread or process ended and it holds nothing.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/synchronize/holding.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace multiprocessing::detail {

/// Lies in shared memory; link 0 of its object is the ring.
class Tasks {
public:
    static constexpr std::uint64_t most_cells = 1000;

    static heap::Tagged<Tasks> make(heap::Ring const& ring) {
        return heap::Tagged<Tasks>::make(
            1, 0, [&](heap::Header& header, Tasks&) { heap::link(header, 0, ring.shared()); });
    }
    static heap::Ring ring_of(heap::Tagged<Tasks> const& tasks) {
        return heap::Ring(heap::Shared::adopt(tasks.shared().header().link(0).load()));
    }

    /// As heap::Ring::get; the item counts as the caller's until done().
    /// Errors: MemoryError when too many threads hold items.
    template <class Visit>
    bool get(heap::Ring& ring, Visit&& visit, Deadline deadline) {
        auto& cell = my_cell();
        auto const got = ring.get_for(
            cell.held,
            [&](heap::RingItem& item) {
                take(cell, heap::ring_intent::name_of(item.number()));
                visit(item);
            },
            deadline);
        if (got) use_credit(cell);
        return got;
    }

    /// One item is done: one that this process got, else somebody's, else one that nobody has got
    /// yet. False when there is none.
    bool done(heap::Ring const& ring) {
        auto const mine = heap::my_stamp();
        for (bool const any : {false, true})
            for (auto& cell : cells()) {
                auto const owner = cell.owner.load();
                if (owner == 0 || (!any && Holding{owner}.stamp() != mine) || !give(cell)) continue;
                if (count(cell.held.load()) == 0 && ring.size() == 0) finished_.notify_all();
                return true;
            }
        for (auto seen = credit_.load(); seen < unfinished(ring);)
            if (credit_.compare_exchange_weak(seen, seen + 1)) {
                finished_.notify_all();
                return true;
            }
        return false;
    }

    /// Blocks: until every item that was put is done.
    /// Errors: WorkerLostError when a process ended that held some.
    void join(heap::Ring const& ring) {
        auto const before = loss_.load();
        auto const step = [&] {
            return loss_.load() != before || unfinished(ring) <= credit_.load();
        };
        if (!step()) {
            look_for_loss();
            heap::try_until(finished_, Deadline{}, step, [&] {
                ring.settle_head();
                look_for_loss();
            });
        }
        if (auto const loss = loss_.load(); loss != before)
            throw WorkerLostError(
                fmt::format("process {} ended before it called task_done() for {} of the items "
                            "that it had got; they are counted as done",
                            loss >> 32, loss >> 16 & 0xffff),
                static_cast<std::int64_t>(loss >> 32));
    }

private:
    struct Cell {
        heap::Word owner;  // 0, or a Holding: process and thread
        heap::Word held;
        heap::Word pid;
    };

    static std::uint64_t count(std::uint64_t held) { return held >> 32; }

    std::span<Cell> cells() { return std::span(cells_).first(used_.load()); }

    static void take(Cell& cell, std::uint32_t name) {
        auto seen = cell.held.load();
        while (!cell.held.compare_exchange_weak(seen, (count(seen) + 1) << 32 | name)) {}
    }
    static bool give(Cell& cell) {
        auto seen = cell.held.load();
        while (count(seen) != 0)
            if (cell.held.compare_exchange_weak(seen, seen - (std::uint64_t{1} << 32))) return true;
        return false;
    }

    Cell& my_cell() {
        auto const mine = my_name();
        for (auto& cell : cells())
            if (cell.owner.load(std::memory_order_relaxed) == mine) return cell;
        for (std::uint64_t i = 0; i < most_cells; ++i) {
            auto& cell = cells_[i];
            auto seen = cell.owner.load();
            if ((seen != 0 && !is_left(cell, Holding{seen})) ||
                !cell.owner.compare_exchange_strong(seen, mine))
                continue;
            cell.pid.store(heap::slot_of(heap::my_stamp()).pid.load());
            for (auto used = used_.load();
                 used <= i && !used_.compare_exchange_weak(used, i + 1);) {}
            return cell;
        }
        throw MemoryError(fmt::format(
            "more than {} threads hold items of one queue for which they have not called "
            "task_done()", most_cells));
    }

    /// The process, its thread's record, and the lowest bits of the record's generation.
    static std::uint64_t my_name() {
        auto const index = heap::ThreadRecord::index();
        return Holding::mine(1, generation_of(index) << 16 | index).bits();
    }
    static std::uint16_t record_of(Holding owner) {
        return static_cast<std::uint16_t>(owner.more() & 0xffff);
    }
    static std::uint64_t generation_of(std::uint16_t index) {
        auto const state = heap::State::instance().arena.record(index).state.load();
        return heap::Record::generation(state) & 0xff;
    }

    /// Its thread is gone, and holds nothing that a recovery may still have to look at.
    static bool is_left(Cell const& cell, Holding owner) {
        return count(cell.held.load()) == 0 &&
               (owner.known_to_have_ended() ||
                (owner.is_mine() && owner.more() >> 16 != generation_of(record_of(owner))));
    }

    /// What was done before it was got.
    void use_credit(Cell& cell) {
        for (auto seen = credit_.load(); seen != 0;)
            if (credit_.compare_exchange_weak(seen, seen - 1)) {
                give(cell);
                return;
            }
    }

    /// Exact for a moment at which nobody put anything: an item leaves the ring before it leaves
    /// the visit, and that before it leaves the cell, and they are looked at in this order.
    std::uint64_t unfinished(heap::Ring const& ring) {
        for (;;) {
            auto const put = ring.put_so_far();
            auto sum = ring.size();
            for (auto& cell : cells()) {
                auto const owner = cell.owner.load();
                if (owner == 0) continue;
                auto const getting = ring.got_by(record_of(Holding{owner}));
                auto const held = cell.held.load();
                sum += count(held);
                if (getting &&
                    static_cast<std::uint32_t>(held) != heap::ring_intent::name_of(*getting))
                    ++sum;
            }
            if (ring.put_so_far() == put) return sum;
        }
    }

    /// The first process that ended with items; they are nobody's then.
    void look_for_loss() {
        for (auto& cell : cells()) {
            auto owner = cell.owner.load();
            Holding const holder{owner};
            if (owner == 0 || !holder.ended()) continue;
            heap::sweep(holder.stamp());
            // While it is swept it may turn out to have taken one more.
            if (!holder.known_to_have_ended()) continue;
            auto held = cell.held.load();
            auto const pid = cell.pid.load();
            if (count(held) == 0 || cell.owner.load() != owner) continue;
            note_loss(pid, count(held));  // first: rather told twice than not at all
            cell.held.compare_exchange_strong(held, held & 0xffff'ffff);
            return;
        }
    }

    /// Those who wait see that the word has changed; its lowest part counts.
    void note_loss(std::uint64_t pid, std::uint64_t items) {
        auto seen = loss_.load();
        auto const shown = items < 0xffff ? items : 0xffff;
        while (!loss_.compare_exchange_weak(
            seen, pid << 32 | shown << 16 | ((seen + 1) & 0xffff))) {}
        finished_.notify_all();
    }

    heap::Word used_{0};    // cells below it were ever used
    heap::Word credit_{0};  // done, and not got yet
    heap::Word loss_{0};    // the last one: pid:32 | items:16 | how many there were:16
    heap::Event finished_;
    std::array<Cell, most_cells> cells_{};
};

/// A handle of a ring, counted or not.
class QueueRing {
public:
    explicit QueueRing(heap::Ring plain) : ring(std::move(plain)) {}
    explicit QueueRing(heap::Tagged<Tasks> handle)
        : ring(Tasks::ring_of(handle)), tasks(std::move(handle)) {}

    /// Of an object that arrived in a message; none if it is something else.
    static std::optional<QueueRing> from(heap::Shared shared) {
        if (shared.header().kind == heap::Kind::ring)
            return QueueRing(heap::Ring(std::move(shared)));
        if (!heap::Tagged<Tasks>::is(shared)) return std::nullopt;
        return QueueRing(heap::Tagged<Tasks>::from(std::move(shared), "JoinableQueue"));
    }

    /// What a message names to carry the queue.
    heap::Shared const& shared() const { return tasks ? tasks.shared() : ring.shared(); }

    template <class Visit>
    bool get(Visit&& visit, Deadline deadline) {
        if (tasks) return tasks->get(ring, visit, deadline);
        return ring.get(visit, deadline);
    }

    heap::Ring ring;
    heap::Tagged<Tasks> tasks;  // none for a queue that is not joinable
};

}  // namespace multiprocessing::detail
