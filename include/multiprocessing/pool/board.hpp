// SPDX-License-Identifier: MIT
// multiprocessing/pool/board.hpp — the calls that a pool of processes has under way.
// Layer 6 (pool). Mirrors Pool._cache of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/pool/worker.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// A call with its tasks in shared memory. Its number is its job's Ref.
struct Posted {
    std::shared_ptr<Call> call;
    heap::Shared job;
    void (*accept)(Call& call, std::uint64_t chunk, Reader& in) = nullptr;
    Limits limits = {};
    mutable std::atomic<bool> is_cancelled{false};  // what is lost is not run again

    JobView view() const { return JobView{job.header()}; }
};
using PostedCall = std::shared_ptr<Posted const>;

/// Finding and entering is for any thread; settling for the supervisor's alone.
class Board {
public:
    void add(PostedCall posted) {
        std::lock_guard guard(mutex_);
        auto const number = posted->call->number();
        calls_.emplace(number, std::move(posted));
    }
    void remove(std::uint64_t number) {
        PostedCall gone;  // destroyed without the mutex
        std::lock_guard guard(mutex_);
        auto const found = calls_.find(number);
        if (found == calls_.end()) return;
        gone = std::move(found->second);
        calls_.erase(found);
    }
    PostedCall find(std::uint64_t number) const {
        std::lock_guard guard(mutex_);
        auto const found = calls_.find(number);
        return found == calls_.end() ? nullptr : found->second;
    }
    bool empty() const {
        std::lock_guard guard(mutex_);
        return calls_.empty();
    }

    /// How many chunks have not ended, but not more than `most`.
    std::uint64_t load(std::uint64_t most) const {
        std::lock_guard guard(mutex_);
        std::uint64_t sum = 0;
        for (auto at = calls_.begin(); at != calls_.end() && sum < most; ++at)
            sum += at->second->call->unsettled();
        return std::min(sum, most);
    }

    /// All that are under way now.
    std::vector<PostedCall> all() const {
        std::lock_guard guard(mutex_);
        std::vector<PostedCall> all;
        all.reserve(calls_.size());
        for (auto const& [number, posted] : calls_) all.push_back(posted);
        return all;
    }

    /// Reads what a worker has written, if it has.
    void collect(Posted const& posted, std::uint64_t chunk) {
        auto const view = posted.view();
        auto& word = view.chunk(chunk);
        if (ChunkWord::phase(word.load(std::memory_order_acquire)) != ChunkWord::done) return;
        std::exception_ptr error;
        try {
            detail::read_message(*JobView::message(view.result(chunk)), [&](Reader& in) {
                if (in.read<Outcome>() == Outcome::value) posted.accept(*posted.call, chunk, in);
                else error = reduction::load_exception(in);
            });
        } catch (...) {
            error = std::current_exception();  // a result that cannot be rebuilt fails its task
        }
        end(posted, chunk, std::move(error));
    }

    /// A chunk that nobody runs ends with an error.
    void fail(Posted const& posted, std::uint64_t chunk, std::exception_ptr error) {
        end(posted, chunk, std::move(error));
    }

    /// Marks what is queued, so that it never runs; settle it with `fail_cancelled`. Any thread.
    static std::uint64_t cancel_queued(Posted const& posted) {
        posted.is_cancelled.store(true);
        std::uint64_t cancelled = 0;
        for (std::uint64_t i = 0; i < posted.call->chunks(); ++i)
            if (withdraw(posted.view().chunk(i))) ++cancelled;
        return cancelled;
    }
    static bool is_running(Posted const& posted) {
        for (std::uint64_t i = 0; i < posted.call->chunks(); ++i)
            if (ChunkWord::phase(posted.view().chunk(i).load()) == ChunkWord::running) return true;
        return false;
    }
    void fail_cancelled(Posted const& posted, std::uint64_t chunks) {
        auto const reason = Call::cancelled();
        if (chunks > 0) posted.call->withdraw();
        for (bool last = false; chunks > 0 && !last; --chunks) {
            last = posted.call->settle(reason);
            if (last) complete(*posted.call);
        }
    }

    /// Each call gets an error of its own.
    void abandon_all(std::function<std::exception_ptr()> const& reason) {
        for (auto const& posted : all()) {
            for (std::uint64_t i = 0; i < posted->call->chunks(); ++i)
                withdraw(posted->view().chunk(i));
            if (posted->call->abandon(reason())) complete(*posted->call);
        }
    }

private:
    static bool withdraw(heap::Word& word) {
        auto seen = word.load(std::memory_order_acquire);
        while (ChunkWord::phase(seen) == ChunkWord::queued)
            if (word.compare_exchange_weak(seen, ChunkWord::pack(ChunkWord::settled)))
                return true;
        return false;
    }

    void end(Posted const& posted, std::uint64_t chunk, std::exception_ptr error) {
        auto const view = posted.view();
        view.chunk(chunk).store(ChunkWord::pack(ChunkWord::settled), std::memory_order_release);
        JobView::drop(view.result(chunk));
        JobView::drop(view.input(chunk));
        if (posted.call->settle(std::move(error))) complete(*posted.call);
    }

    void complete(Call& call) {
        auto const posted = find(call.number());
        remove(call.number());
        call.complete();
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, PostedCall> calls_;
};

}  // namespace multiprocessing::pool
