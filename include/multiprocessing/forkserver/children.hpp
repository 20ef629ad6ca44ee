// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/children.hpp — whom the fork server has forked, and what became of
// them.
// Layer 5 (forkserver). Mirrors the SIGCHLD part of main() of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/cell.hpp>
#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/serving.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

namespace multiprocessing::forkserver {

/// All children of the server, and its alone: it has no threads.
class Children {
public:
    static constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

    /// Before a fork: add() must not fail after it.
    void make_room() {
        spare_.reserve(spare_.size() + 1);
        tracked_.reserve(tracked_.size() + 1);
    }
    void add(std::int64_t pid, CellRef cell, heap::SlotStamp stamp) {
        spare_.push_back({cell});
        tracked_.emplace(pid, Tracked{cell, stamp});
    }

    std::uint64_t parked() const { return count(CellWord::parked); }
    std::uint64_t parked_or_coming() const { return parked() + count(CellWord::forking); }

    /// Tells the clients of those that have ended, and reaps them.
    void reap() {
        while (auto const ended = platform::ended_child()) {
            auto const found = tracked_.find(ended->pid);
            if (found != tracked_.end()) settle(found->second, ended->exitcode);
            platform::wait_process(ended->pid, 0);  // from here on its number may be another's
            if (found == tracked_.end()) continue;
            std::erase_if(spare_, [&](Spare const& spare) {
                return spare.cell.bits == found->second.cell.bits;
            });
            tracked_.erase(found);
        }
    }

    /// Forgets the stand-bys that run a task, ends those that will never get theirs, and frees
    /// cells that no client gives back.
    void look_after() {
        auto const now = platform::monotonic_ns();
        std::erase_if(spare_, [now](Spare& spare) { return is_off(spare, now); });
        std::erase_if(left_, [now](Left& left) {
            if (!left.cell.is_current()) return true;
            if (now < left.due) return false;
            left.pause = std::min(left.pause * 2, longest_pause_ns);
            left.due = now + left.pause;
            return free_if_abandoned(left.cell);
        });
    }

    /// How long nothing has to be looked after.
    std::uint64_t longest_sleep() const {
        auto const taken = [](Spare const& spare) { return spare.since != 0; };
        if (std::ranges::any_of(spare_, taken)) return brief_ns;
        if (left_.empty()) return forever;
        auto const due = std::ranges::min(left_, {}, &Left::due).due;
        auto const now = platform::monotonic_ns();
        return due > now ? due - now : 1;
    }

    /// Cells of those who died while no server was there to see it.
    static void reclaim() {
        auto const me = heap::my_stamp();
        for (std::uint32_t i = 0; i < board().mark.load(); ++i) {
            auto seen = cell(i).state.load();
            auto const phase = CellWord::phase(seen);
            auto const ref = CellRef::of(i, CellWord::generation(seen));
            auto const server = heap::SlotStamp::from(cell(i).server.load());
            if (phase == CellWord::free) continue;
            if (phase == CellWord::forking || phase == CellWord::parked) {
                if (server != me && heap::is_dead(server)) try_free(ref, seen);
            } else if (heap::is_dead(heap::SlotStamp::from(cell(i).child.load()))) {
                free_if_abandoned(ref);
            }
        }
    }

    /// The root ends, and nothing is to be left. Who runs a task has its client to wait for it.
    void end_stand_bys() const {
        for (auto const& [pid, child] : tracked_) {
            auto const seen = child.cell->state.load();
            if (CellWord::generation(seen) != child.cell.generation() ||
                CellWord::phase(seen) > CellWord::parked)
                continue;
            platform::kill_process(pid);
            platform::wait_process(pid, forever);
        }
    }

private:
    static constexpr std::uint64_t brief_ns = 20'000'000;
    /// Most clients need less to give back the cell of a child that has ended. Others are asked
    /// after less and less often: to see whether a client is alive takes nearly as long as a fork.
    static constexpr std::uint64_t patience_ns = 20'000'000;
    static constexpr std::uint64_t longest_pause_ns = 10'000'000'000;

    struct Tracked {
        CellRef cell;
        heap::SlotStamp stamp;
    };
    struct Spare {
        CellRef cell;
        std::uint64_t since = 0;  // when it was seen on its way to a client; 0: it was not
    };
    struct Left {
        CellRef cell;
        std::uint64_t due;  // when to ask whether its client is alive
        std::uint64_t pause = patience_ns;
    };

    std::uint64_t count(CellWord::Phase phase) const {
        auto const is_in = [phase](Spare const& spare) {
            return CellWord::phase(spare.cell->state.load()) == phase;
        };
        return static_cast<std::uint64_t>(std::ranges::count_if(spare_, is_in));
    }

    static bool is_off(Spare& spare, std::uint64_t now) {
        auto const ref = spare.cell;
        if (!ref.is_current()) return true;
        auto const state = ref->state.load();
        auto const phase = CellWord::phase(state);
        if (phase != CellWord::claimed && phase != CellWord::handed)
            return phase == CellWord::running || phase == CellWord::revoked;
        if (spare.since == 0) spare.since = now;
        if (now - spare.since < brief_ns || !heap::is_dead(CellWord::who(state))) return false;
        platform::kill_process(static_cast<std::int64_t>(ref->pid.load()));
        return true;
    }

    void settle(Tracked const& child, int exitcode) {
        auto const ref = child.cell;
        if (!ref.is_current()) return;  // its client had enough from the child itself
        ref->outcome.store(Outcome::of(exitcode, Outcome::reaped));
        auto const seen = ref->state.load();
        auto const phase = CellWord::phase(seen);
        if ((phase == CellWord::forking || phase == CellWord::parked) && try_free(ref, seen))
            heap::sweep(child.stamp, true, true);
        else
            left_.push_back({ref, platform::monotonic_ns() + patience_ns});
    }

    static bool try_free(CellRef ref, std::uint64_t seen) {
        return ref->state.compare_exchange_strong(
            seen, CellWord::pack(ref.generation(), CellWord::free, {}));
    }

    /// The cell of a dead child goes when its client is dead too. True: it has gone.
    static bool free_if_abandoned(CellRef ref) {
        auto const client = CellWord::who(ref->state.load());
        if (!heap::is_dead(client)) return false;
        auto const child = heap::SlotStamp::from(ref->child.load());
        heap::sweep(client);
        heap::sweep(child, true);
        if (heap::is_current(client)) return false;
        give_back(ref);
        return true;
    }

    std::vector<Spare> spare_;  // not known to run a task
    std::vector<Left> left_;    // of children that have ended
    std::unordered_map<std::int64_t, Tracked> tracked_;
};

}  // namespace multiprocessing::forkserver
