// SPDX-License-Identifier: MIT
// multiprocessing/pool/roster.hpp — the workers of a pool: who is there, who has ended.
// Layer 6 (pool). Mirrors _join_exited_workers and _repopulate_pool of
// Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/end_watch.hpp>
#include <multiprocessing/pool/engine.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// Sharing: the constructor's thread, then the supervisor; pids() and count() any.
class Roster {
public:
    Roster(LocalEngine engine, heap::Ring news, std::uint32_t desks)
        : engine_(std::move(engine)), news_(std::move(news)) {
        for (auto desk = desks; desk > 0; --desk) free_desks_.push_back(desk - 1);
    }

    /// One more worker.
    /// Errors: what it cannot be started for.
    void launch() {
        if (free_desks_.empty()) throw ValueError("a pool cannot have so many workers");
        auto member = engine_.launch(free_desks_.back());
        free_desks_.pop_back();
        {
            std::lock_guard guard(mutex_);
            members_.push_back(std::move(member));
        }
        if (watch_) watch(members_.back());
    }

    /// From now on there is news when a worker ends. Errors: OSError.
    void begin_watch() {
        watch_.emplace(news_);
        for (auto const& member : members_) watch(member);
    }
    void end_watch() { watch_.reset(); }

    /// Ends of workers do not come by themselves: somebody must look.
    bool must_poll() const { return must_poll_; }

    std::vector<Member>& members() { return members_; }
    bool empty() const { return members_.empty(); }
    std::size_t count() const {
        std::lock_guard guard(mutex_);
        return members_.size();
    }
    std::vector<std::int64_t> pids() const {
        std::lock_guard guard(mutex_);
        std::vector<std::int64_t> pids;
        for (auto const& member : members_) pids.push_back(member.pid);
        return pids;
    }

    /// Takes out who has ended; calls `ended(Member const&, status)` while the desk is as it was
    /// left.
    template <class Ended>
    void take_ended(Ended ended) {
        for (std::size_t i = 0; i < members_.size();) {
            if (!engine_.has_ended(members_[i])) {
                ++i;
                continue;
            }
            auto member = take(i);
            auto const status = engine_.collect(member);
            ended(std::as_const(member), status);
            free_desks_.push_back(member.desk);
        }
    }

    void kill(Member const& member) const { engine_.kill(member); }
    void terminate(Member const& member) const { engine_.terminate(member); }

    /// Kills all and waits for their ends.
    void end_all() {
        for (auto const& member : members_) engine_.kill(member);
        while (!members_.empty()) {
            auto member = take(members_.size() - 1);
            engine_.collect(member);
            free_desks_.push_back(member.desk);
        }
    }

private:
    Member take(std::size_t index) {
        std::lock_guard guard(mutex_);
        auto member = std::move(members_[index]);
        members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(index));
        return member;
    }
    void watch(Member const& member) {
        if (member.sentinel && *member.sentinel) watch_->add(member.sentinel);
        else must_poll_ = true;
    }

    LocalEngine engine_;
    heap::Ring news_;
    std::vector<std::uint32_t> free_desks_;
    bool must_poll_ = false;
    mutable std::mutex mutex_;  // of changes to:
    std::vector<Member> members_;
    std::optional<EndWatch> watch_;
};

}  // namespace multiprocessing::pool
