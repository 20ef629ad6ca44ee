// SPDX-License-Identifier: MIT
// multiprocessing/pool/foreman.hpp — gives workers their tasks, stops them, settles what the dead
// had in hand, hires new ones.
// Layer 6 (pool). Mirrors _maintain_pool of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/memory.hpp>
#include <multiprocessing/pool/board.hpp>
#include <multiprocessing/pool/policy.hpp>
#include <multiprocessing/pool/roster.hpp>
#include <multiprocessing/util/log.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing::pool {

/// Sharing: the constructor's thread, then the supervisor; announce(), count() and pids() any.
/// Functions that return an exception found a reason for which no worker can work any more.
class Foreman {
public:
    Foreman(StartMethod method, unsigned size, WorkerOrder order, Policy const& policy,
            Board& board)
        : size_(size),
          policy_(policy),
          board_(board),
          tasks_(order.tasks),
          desks_(order.desks = make_desks(size)),
          roster_(LocalEngine(method, order, policy), order.news, size) {}

    /// Errors: what a worker cannot be started for; then none is left.
    void begin() {
        try {
            while (!policy_.on_demand && roster_.count() < size_) roster_.launch();
            roster_.begin_watch();
        } catch (...) {
            roster_.end_all();
            throw;
        }
    }
    void end() {
        roster_.end_all();
        roster_.end_watch();
    }

    std::size_t count() const { return roster_.count(); }
    std::vector<std::int64_t> pids() const { return roster_.pids(); }
    bool must_poll() const { return roster_.must_poll() || tries_again_; }

    /// Errors: MemoryError.
    void announce(heap::Shared const& job, std::uint64_t chunk) {
        auto message = make_announcement(job, chunk);
        tasks_.put(message, Deadline{});
    }

    /// Each worker ends when it finds nothing else to do; none is hired any more.
    void dismiss() {
        if (is_dismissed_) return;
        try {
            for (auto n = roster_.count(); n > 0; --n)
                tasks_.put(std::span<std::byte const>{}, Deadline{});
            is_dismissed_ = true;
        } catch (MemoryError const& error) {
            util::log(logging::error, "the workers of a pool cannot be stopped yet: {}",
                      error.what());
        }
    }

    void force(Force how) {
        for (auto const& member : roster_.members())
            if (how == Force::terminate) roster_.terminate(member);
            else if (how == Force::kill) roster_.kill(member);
    }

    /// A worker has initialised itself: they can.
    void welcome() { failed_starts_ = 0; }

    // ---- workers that are stopped in a task --------------------------------------------------

    void stop(PostedCall const& posted) {
        std::uint64_t chunk = 0;
        for (auto& member : roster_.members())
            if (!member.doom && at_work(member, chunk) == posted)
                stop(member, *posted, chunk, Call::cancelled());
    }

    void stop_late_ones() {
        auto const now = platform::monotonic_ns();
        std::uint64_t chunk = 0;
        for (auto& member : roster_.members()) {
            auto const began = desk(desks_, member.desk).began.load(std::memory_order_acquire);
            auto const posted = at_work(member, chunk);
            if (posted && began != 0 && !member.doom && now > began &&
                now - began >= posted->limits.timeout.ns())
                stop(member, *posted, chunk,
                     std::make_exception_ptr(
                         TimeoutError("the task took too long, and its worker was killed")));
        }
    }

    // ---- workers that have ended, and their successors ---------------------------------------

    std::exception_ptr settle_ended() {
        std::exception_ptr fatal;
        roster_.take_ended([&](Member const& member, std::optional<int> status) {
            util::log(logging::debug, "worker {} ended with status {}", member.pid,
                      status ? std::to_string(*status) : "unknown");
            if (auto reason = settle(member, status)) fatal = std::move(reason);
        });
        heap::sweep_dead();  // descendants of the dead, whom nobody waits for
        return fatal;
    }

    std::exception_ptr launch_missing() {
        tries_again_ = false;
        if (is_dismissed_) return nullptr;
        auto const wanted = policy_.on_demand ? board_.load(size_) : size_;
        try {
            while (roster_.count() < wanted) roster_.launch();
        } catch (std::exception const& error) {
            util::log(logging::error, "a worker cannot be started: {}", error.what());
            if (failed_once_more() || policy_.broken) return std::current_exception();
            tries_again_ = true;
        }
        return nullptr;
    }

private:
    bool failed_once_more() { return ++failed_starts_ > 10 + 2 * size_; }

    /// What a worker has on its desk, if it is the one that has claimed it.
    PostedCall find(Member const& member, std::uint64_t& chunk, std::uint64_t& seen) const {
        auto const& place = desk(desks_, member.desk);
        auto posted = board_.find(place.job.load(std::memory_order_acquire));
        chunk = place.chunk.load(std::memory_order_relaxed);
        if (!posted || chunk >= posted->call->chunks()) return nullptr;
        seen = posted->view().chunk(chunk).load(std::memory_order_acquire);
        return ChunkWord::worker(seen) == member.stamp ? posted : nullptr;
    }
    PostedCall at_work(Member const& member, std::uint64_t& chunk) const {
        std::uint64_t seen = 0;
        auto posted = find(member, chunk, seen);
        return posted && ChunkWord::phase(seen) == ChunkWord::running ? posted : nullptr;
    }

    void stop(Member& member, Posted const& posted, std::uint64_t chunk, std::exception_ptr why) {
        member.doom = Doom{posted.call->number(), chunk, std::move(why)};
        roster_.kill(member);
    }

    std::exception_ptr settle(Member const& member, std::optional<int> status) {
        std::uint64_t chunk = 0, seen = 0;
        auto const posted = find(member, chunk, seen);
        bool const lost = posted && ChunkWord::phase(seen) == ChunkWord::running;
        if (posted && ChunkWord::phase(seen) == ChunkWord::done) board_.collect(*posted, chunk);
        if (policy_.broken && !member.doom && (lost || status != 0))
            return std::make_exception_ptr(WorkerLostError(member.pid, status));
        if (lost) lose(*posted, chunk, ChunkWord::lost(seen), member, status);
        if (desk(desks_, member.desk).ready.load() == member.stamp.bits()) failed_starts_ = 0;
        else if (status != 0 && !member.doom && failed_once_more())
            return std::make_exception_ptr(WorkerLostError(member.pid, status));
        return nullptr;
    }

    void lose(Posted const& posted, std::uint64_t chunk, std::uint64_t times, Member const& member,
              std::optional<int> status) {
        std::exception_ptr reason;
        bool again = !posted.is_cancelled.load();
        if (!member.doom) {
            again = again && ++times <= posted.limits.retries;
            auto const chunks = posted.call->chunks();
            reason = std::make_exception_ptr(WorkerLostError(
                member.pid, status,
                chunks == 1 ? "the task" : fmt::format("chunk {} of {}", chunk + 1, chunks),
                note_of(status)));
        } else if (member.doom->job == posted.call->number() && member.doom->chunk == chunk) {
            again = false;
            reason = member.doom->reason;
        } else {  // killed for what it had finished in that moment: this one is run again
            reason = Call::cancelled();
        }
        if (again) {
            try {
                posted.view().chunk(chunk).store(ChunkWord::pack(ChunkWord::queued, times));
                announce(posted.job, chunk);
                return;
            } catch (MemoryError const&) {
                reason = std::current_exception();
            }
        }
        board_.fail(posted, chunk, std::move(reason));
    }

    /// Why it may have died.
    std::string note_of(std::optional<int> status) {
        auto const before = std::exchange(oom_kills_, platform::oom_kills());
        if (!status || *status >= 0 || oom_kills_ == before) return {};
        return "out of memory: the kernel has killed a process of this control group";
    }

    unsigned size_;
    Policy const& policy_;
    Board& board_;
    heap::Ring tasks_;
    heap::Shared desks_;
    Roster roster_;
    bool is_dismissed_ = false;
    bool tries_again_ = false;
    unsigned failed_starts_ = 0;  // since a worker was ready last
    std::uint64_t oom_kills_ = platform::oom_kills();
};

}  // namespace multiprocessing::pool
