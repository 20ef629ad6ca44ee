// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/nursery.hpp — forks children ahead, as many as shall be ready.
// Layer 5 (forkserver). Mirrors the fork in main() of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/children.hpp>
#include <multiprocessing/forkserver/order.hpp>
#include <multiprocessing/forkserver/rehearsal.hpp>
#include <multiprocessing/forkserver/stand_by.hpp>
#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/util/fork_guard.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing::forkserver {

class Nursery {
public:
    Nursery(Children& children, std::uint64_t stand_bys)
        : children_(children), stand_bys_(stand_bys), pid_(platform::process_id()) {}

    /// Forks what is missing, or returns how long that can wait.
    std::uint64_t refill() {
        board().ready.store(children_.parked());
        auto const wanted = board().wanted.exchange(0) != 0;
        auto const enough = std::max(stand_bys_, std::uint64_t{wanted});
        auto const there = children_.parked_or_coming();
        if (there < enough && there != 0 && !wanted) {
            auto const now = platform::monotonic_ns();
            if (refill_at_ == 0) refill_at_ = now + refill_delay_ns;
            if (now < refill_at_) return refill_at_ - now;
        }
        refill_at_ = 0;
        try {
            while (children_.parked_or_coming() < enough) fork_one();
        } catch (Error const& error) {
            tell(error);
        }
        return Children::forever;
    }

private:
    /// A start that has just taken a stand-by shall not share its processor with a fork, as long
    /// as there is one more.
    static constexpr std::uint64_t refill_delay_ns = 1'000'000;

    static void tell(Error const& error) {
        auto const* const os = dynamic_cast<OSError const*>(&error);
        auto& refusal = board().refusal;
        auto const code = static_cast<std::uint32_t>(os != nullptr ? os->code().value() : 0);
        refusal.store(((refusal.load() >> 32) + 1) << 32 | code);
        board().parked.notify_all();
    }

    CellRef take_cell() {
        if (++taken_ % 64 == 0) Children::reclaim();
        for (bool const reclaimed : {false, true}) {
            for (std::uint32_t i = 0; i < cells; ++i) {
                auto const index = (cursor_ + i) % cells;
                auto const seen = cell(index).state.load();
                if (CellWord::phase(seen) != CellWord::free) continue;
                cursor_ = index;
                return prepare(index, (CellWord::generation(seen) + 1) & 0xff'ffff);
            }
            if (!reclaimed) Children::reclaim();
        }
        throw MemoryError("more than " + std::to_string(cells) +
                          " processes that the fork server has started");
    }

    /// Only a server takes cells, and there is one at a time.
    static CellRef prepare(std::uint32_t index, std::uint64_t generation) {
        auto& fresh = cell(index);
        auto const me = heap::my_stamp();
        fresh.server.store(me.bits());
        fresh.child.store(0);
        fresh.pid.store(0);
        fresh.task.store(0);
        fresh.outcome.store(0);
        fresh.bell.reset();
        fresh.state.store(CellWord::pack(generation, CellWord::forking, me));
        if (board().mark.load() <= index) board().mark.store(index + 1);
        return CellRef::of(index, generation);
    }

    void fork_one() {
        if (auto const threads = platform::thread_count(); threads != 1) refuse_to_fork(threads);
        auto const fresh = take_cell();
        try {
            fork_into(fresh);
        } catch (...) {
            give_back(fresh);
            throw;
        }
    }

    void fork_into(CellRef fresh) {
        heap::ChildSlot slot("stand-by");
        auto const stamp = slot.stamp();
        fresh->child.store(stamp.bits());
        auto end = platform::lifeline_end(pid_, platform::lifeline());
        auto& table = process::Table::instance();
        std::optional<std::vector<void (*)()>> after_fork;
        std::int64_t child = 0;
        {
            std::scoped_lock guard(table.mutex);
            util::ForkGuard const util_guard;
            children_.make_room();
            auto const forked = heap::fork(slot);
            if (forked.side == platform::ForkSide::child) {
                after_fork = util::reset_after_fork();
                process::become_child(table, std::make_shared<process::Child>(),
                                      StartMethod::forkserver, {});
            }
            child = forked.pid;
        }
        if (after_fork) StandBy(fresh, pid_, rehearsal_).run(std::move(end), *after_fork);
        fresh->pid.store(static_cast<std::uint64_t>(child));
        children_.add(child, fresh, stamp);
    }

    [[noreturn]] static void refuse_to_fork(unsigned threads) {
        process::print_error("multiprocessing: the fork server has " + std::to_string(threads) +
                             " threads, and a process with threads cannot be forked safely: "
                             "functions that it preloads must leave none running\n");
        board().server.store(0);
        platform::exit_process(has_threads);
    }

    Children& children_;
    Rehearsal rehearsal_;
    std::uint64_t stand_bys_;
    std::int64_t pid_;
    std::uint64_t refill_at_ = 0;
    std::uint64_t taken_ = 0;
    std::uint32_t cursor_ = 0;
};

}  // namespace multiprocessing::forkserver
