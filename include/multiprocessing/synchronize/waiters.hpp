// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/waiters.hpp — who waits at a condition: a record each, that can be
// swept.
// Layer 2 (synchronization). Takes the place of the three semaphores of CPython's Condition.
//
// A waiter's cell holds one state word; every change of it is one compare-and-swap:
//   free -> entering -> waiting    by the waiter, which holds the condition's lock
//   waiting -> free                by the waiter, whose time is up
//   waiting -> notified            by a notifier, or by who passes a notification on
//   notified -> free               by the waiter, once it has the lock again
// Who is killed where, and what the living see:
//   entering, waiting              the cell is free for whoever needs one; if a notifier saw it as
//                                  a waiter before that, it is
//   notified                       the notification has reached nobody: a waiter that looks, each
//                                  slice, claims the cell (-> passing, its own), gives the
//                                  notification to the longest waiting of those who waited when it
//                                  was given, and frees the cell
//   passing                        as notified; one waiter may have been woken for nothing
//   notify, between two cells      the cells so far are notified; they wake within a slice
// A dead waiter is notified at most once, so nobody pays for it again.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/ring_wait.hpp>
#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/synchronize/holding.hpp>
#include <multiprocessing/timeout.hpp>

#include <array>
#include <cstdint>
#include <thread>

namespace multiprocessing::detail {

/// Lies in the body of an object whose links from `first_link` on are the cells that were added.
class Waiters {
public:
    static constexpr std::uint32_t first_link = 1;
    static constexpr std::uint32_t links = 13;  // 16 more cells, 32, 64 ... 65536

    struct Cell {
        heap::Word state;   // 0, or a Holding
        heap::Word ticket;  // in what order they came
        heap::Word limit;   // of a notification: it is for tickets below this one
        heap::Event event;
        std::uint32_t unused;
    };
    static_assert(sizeof(Cell) == 32);

    /// Announces the calling thread, which holds the lock.
    /// Errors: MemoryError when there is no room for another waiter.
    Cell& enter(heap::Header& object) {
        auto const mine = Holding::mine(entering);
        for (;;) {
            Cell* found = nullptr;
            for_each(object, [&](Cell& cell) {
                std::uint64_t none = 0;
                return cell.state.load(std::memory_order_relaxed) == 0 &&
                       cell.state.compare_exchange_strong(none, mine.bits()) &&
                       (found = &cell) != nullptr;
            });
            if (found != nullptr) {
                found->ticket.store(tickets_.fetch_add(1), std::memory_order_relaxed);
                found->limit.store(0, std::memory_order_relaxed);
                found->state.store(mine.as(waiting).bits());
                return *found;
            }
            if (!clear_dead(object)) grow(object);
        }
    }

    /// Waits, without the lock, until the cell is notified. False when the deadline came first;
    /// then the cell is free.
    bool wait(heap::Header& object, Cell& cell, Deadline deadline) {
        auto const mine = Holding::mine(waiting);
        if (heap::try_until(
                cell.event, deadline,
                [&] { return cell.state.load() == mine.as(notified).bits(); },
                [&] { pass_on(object); }))
            return true;
        auto seen = mine.bits();
        return !cell.state.compare_exchange_strong(seen, 0);
    }

    /// The notification has arrived: its waiter holds the lock.
    static void leave(Cell& cell) { cell.state.store(0); }

    /// Notifies the `n` who have waited longest. The caller holds the lock.
    void notify(heap::Header& object, std::uint64_t n) {
        auto const limit = tickets_.load();
        for (; n != 0; --n)
            if (!notify_oldest(object, limit)) return;
    }
    void notify_all(heap::Header& object) {
        auto const limit = tickets_.load();
        for_each(object, [&](Cell& cell) {
            auto seen = cell.state.load();
            if (is_waiting(cell, seen, limit)) give(cell, seen, limit);
            return false;
        });
    }

    /// How many wait and are not notified.
    std::uint64_t count(heap::Header& object) {
        std::uint64_t n = 0;
        for_each(object, [&](Cell& cell) {
            auto const seen = cell.state.load();
            n += seen != 0 && Holding{seen}.what() == waiting && !Holding{seen}.ended() ? 1u : 0u;
            return false;
        });
        return n;
    }

private:
    static constexpr std::uint64_t entering = 1, waiting = 2, notified = 3, passing = 4;

    struct Chunk {};

    /// Visits all cells until `visit` says true.
    template <class Visit>
    void for_each(heap::Header& object, Visit visit) {
        for (auto& cell : first_)
            if (visit(cell)) return;
        for (std::uint32_t i = 0; i + first_link < links; ++i) {
            heap::Ref const ref{object.link(first_link + i).load(std::memory_order_acquire)};
            if (!ref) return;
            auto* const header = heap::State::instance().arena.at<heap::Header>(ref.offset());
            auto* const cells = reinterpret_cast<Cell*>(header->body() + 8);
            for (std::uint32_t k = 0; k < size_of(i); ++k)
                if (visit(cells[k])) return;
        }
    }
    static constexpr std::uint32_t size_of(std::uint32_t chunk) { return 16u << chunk; }

    /// Frees a cell whose waiter is known to be dead.
    static bool is_waiting(Cell& cell, std::uint64_t& seen, std::uint64_t limit) {
        Holding const waiter{seen};
        if (seen == 0 || waiter.what() != waiting || cell.ticket.load() >= limit) return false;
        if (!waiter.known_to_have_ended()) return true;
        cell.state.compare_exchange_strong(seen, 0);
        return false;
    }

    bool notify_oldest(heap::Header& object, std::uint64_t limit) {
        for (;;) {
            Cell* oldest = nullptr;
            std::uint64_t its_state = 0, its_ticket = limit;
            for_each(object, [&](Cell& cell) {
                auto seen = cell.state.load();
                if (is_waiting(cell, seen, its_ticket)) {
                    oldest = &cell;
                    its_state = seen;
                    its_ticket = cell.ticket.load();
                }
                return false;
            });
            if (oldest == nullptr) return false;
            if (give(*oldest, its_state, limit)) return true;
        }
    }

    /// False when it stopped waiting meanwhile.
    static bool give(Cell& cell, std::uint64_t& seen, std::uint64_t limit) {
        // Raised only: of two who notify at once, the later one's waiters must not miss out.
        auto known = cell.limit.load();
        while (known < limit && !cell.limit.compare_exchange_weak(known, limit)) {}
        if (!cell.state.compare_exchange_strong(seen, Holding{seen}.as(notified).bits()))
            return false;
        cell.event.notify_all();
        return true;
    }

    /// Passes on the notifications of the dead.
    void pass_on(heap::Header& object) {
        for_each(object, [&](Cell& cell) {
            auto seen = cell.state.load();
            auto const what = Holding{seen}.what();
            if ((what != notified && what != passing) || !Holding{seen}.ended()) return false;
            auto mine = Holding::mine(passing).bits();
            if (!cell.state.compare_exchange_strong(seen, mine)) return false;
            notify_oldest(object, cell.limit.load());
            cell.state.compare_exchange_strong(mine, 0);
            return false;
        });
    }

    /// Cells of those who died waiting. False when there was none.
    bool clear_dead(heap::Header& object) {
        pass_on(object);
        bool any = false;
        for_each(object, [&](Cell& cell) {
            auto seen = cell.state.load();
            if (seen == 0 || (Holding{seen}.what() <= waiting && Holding{seen}.ended() &&
                              cell.state.compare_exchange_strong(seen, 0)))
                any = true;
            return false;
        });
        return any;
    }

    /// One at a time adds cells. If it is killed, its process must be swept to the end before
    /// another begins, since the sweep may still write the link.
    void grow(heap::Header& object) {
        auto const mine = Holding::mine(entering).bits();
        std::uint64_t grower = 0;
        if (!grower_.compare_exchange_strong(grower, mine)) {
            if (Holding const other{grower}; other.ended()) {
                heap::sweep(other.stamp());
                if (other.known_to_have_ended()) grower_.compare_exchange_strong(grower, 0);
            }
            std::this_thread::yield();
            return;
        }
        struct Done {
            ~Done() { word.store(0); }
            heap::Word& word;
        } const done{grower_};
        std::uint32_t at = first_link;
        while (at < links && object.link(at).load() != 0) ++at;
        if (at == links) throw MemoryError("too many threads wait at one condition");
        auto const chunk = heap::Tagged<Chunk>::make(
            0, size_of(at - first_link) * sizeof(Cell), [](heap::Header&, Chunk&) {});
        heap::link(object, at, chunk.shared());
    }

    heap::Word tickets_{0};
    heap::Word grower_{0};
    std::array<Cell, 8> first_{};
};

}  // namespace multiprocessing::detail
