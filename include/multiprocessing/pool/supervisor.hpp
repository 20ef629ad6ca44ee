// SPDX-License-Identifier: MIT
// multiprocessing/pool/supervisor.hpp — the thread that looks after a pool's workers and collects
// their results.
// Layer 6 (pool). Mirrors _handle_workers and _handle_results of Lib/multiprocessing/pool.py.
//
// Truth lies in the chunks of the jobs, not in the news: news only say where to look. When a worker
// is dead, every chunk that bears its name is settled, whatever it got round to telling.
#pragma once

#include <multiprocessing/pool/async_result.hpp>
#include <multiprocessing/pool/end_watch.hpp>
#include <multiprocessing/pool/engine.hpp>
#include <multiprocessing/util/log.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// Python: the states of `multiprocessing.pool.Pool`.
enum class PoolState : std::uint8_t { run, close, terminate };

/// The pool but for its types. Its public functions may be called by any thread.
class Supervisor {
public:
    Supervisor(StartMethod method, unsigned workers, WorkerOrder order)
        : size_(workers),
          tasks_(order.tasks),
          news_(order.news),
          engine_(method, std::move(order)) {
        try {
            for (unsigned i = 0; i < size_; ++i) members_.push_back(engine_.launch());
            wake();  // the ring has room for some news from now on, whatever becomes of memory
            watch_.emplace(news_);
        } catch (...) {
            end_members();
            throw;
        }
        for (auto const& member : members_) watch(member);
        thread_ = std::thread([this] { run(); });
    }
    ~Supervisor() {
        terminate();
        thread_.join();
    }

    unsigned size() const { return size_; }
    PoolState state() const {
        std::lock_guard guard(mutex_);
        return state_;
    }

    /// Errors: ValueError when the pool takes no more work; MemoryError.
    void submit(std::shared_ptr<Call> const& call) {
        auto const job = call->job();
        auto const bits = job.ref().bits;
        auto const chunks = call->chunks();
        {
            std::lock_guard guard(mutex_);
            if (broken_) std::rethrow_exception(broken_);
            if (state_ != PoolState::run) throw ValueError("Pool not running");
            calls_.emplace(bits, call);
        }
        try {
            for (std::uint64_t i = 0; i < chunks; ++i) announce(job, i);
        } catch (...) {
            std::lock_guard guard(mutex_);
            calls_.erase(bits);
            throw;
        }
    }

    void close() { enter(PoolState::close); }
    void terminate() { enter(PoolState::terminate); }

    /// Blocks: until all workers have ended. Errors: ValueError before close() or terminate().
    void join() {
        if (std::this_thread::get_id() == thread_.get_id()) return;  // a callback has called exit
        std::unique_lock guard(mutex_);
        if (state_ == PoolState::run) throw ValueError("Pool is still running");
        finished_.wait(guard, [this] { return is_finished_; });
    }

private:
    static constexpr std::uint64_t longest_nap_ns = 200'000'000;

    using Calls = std::unordered_map<std::uint64_t, std::shared_ptr<Call>>;

    void enter(PoolState state) {
        {
            std::lock_guard guard(mutex_);
            if (state_ >= state) return;
            state_ = state;
        }
        try {
            wake();
        } catch (MemoryError const&) {
            // It looks by itself, a little later.
        }
    }

    void wake() {
        News const news{News::look_again, 0, 0};
        news_.put(std::as_bytes(std::span{&news, 1}), Deadline{});
    }

    void announce(heap::Shared const& job, std::uint64_t chunk) {
        auto message = make_announcement(job, chunk);
        tasks_.put(message, Deadline{});
    }

    void watch(Member const& member) {
        if (member.sentinel && *member.sentinel) watch_->add(member.sentinel);
        else must_poll_ = true;
    }

    void run() {
        for (;;) {
            bool look = false;
            auto const deadline =
                Deadline(Timeout::from_ns(must_poll_ ? 10'000'000 : longest_nap_ns));
            News news{News::look_again, 0, 0};
            heap::Hand failure;
            if (!news_.get(
                    [&](heap::RingItem& item) {
                        if (item.is_message()) failure = item.take();
                        else std::memcpy(&news, item.bytes().data(), sizeof news);
                    },
                    deadline))
                look = true;
            if (failure) give_up(reason_in(failure.header()));
            else if (news.kind == News::chunk_done) collect(news.job, news.chunk);
            else if (news.kind == News::worker_ready) welcome(heap::SlotStamp::from(news.job));
            else look = true;
            failure.drop();
            if (look) look_at_members();
            if (is_over()) break;
        }
        watch_.reset();
        abandon_all(std::make_exception_ptr(
            RuntimeError("the pool was terminated before the task had ended")));
        std::lock_guard guard(mutex_);
        is_finished_ = true;
        finished_.notify_all();
    }

    /// True when there is nothing more to do, ever.
    bool is_over() {
        std::unique_lock guard(mutex_);
        if (state_ == PoolState::terminate) {
            guard.unlock();
            end_members();
            return true;
        }
        if (state_ == PoolState::close && calls_.empty()) {
            if (members_.empty()) return true;
            if (!stops_are_sent_) send_stops();
        }
        return false;
    }

    void send_stops() {
        try {
            for (std::size_t i = 0; i < members_.size(); ++i)
                tasks_.put(std::span<std::byte const>{}, Deadline{});
            stops_are_sent_ = true;
        } catch (MemoryError const& error) {
            util::log(logging::error, "the workers of a pool cannot be stopped yet: {}",
                      error.what());
        }
    }

    std::shared_ptr<Call> find(std::uint64_t job) {
        std::lock_guard guard(mutex_);
        auto const found = calls_.find(job);
        return found == calls_.end() ? nullptr : found->second;
    }

    void collect(std::uint64_t job, std::uint64_t chunk) {
        if (auto const call = find(job)) collect(*call, job, chunk);
    }
    void collect(Call& call, std::uint64_t job, std::uint64_t chunk) {
        JobView const view{call.job().header()};
        auto& word = view.chunk(chunk);
        if (ChunkWord::phase(word.load(std::memory_order_acquire)) != ChunkWord::done) return;
        auto* const outcome = JobView::message(view.result(chunk));
        auto const last = outcome != nullptr && call.settle(chunk, *outcome);
        word.store(ChunkWord::pack(ChunkWord::settled), std::memory_order_release);
        JobView::drop(view.result(chunk));
        JobView::drop(view.input(chunk));
        if (last) complete(job);
    }

    void complete(std::uint64_t job) {
        auto const call = find(job);
        if (!call) return;
        {
            std::lock_guard guard(mutex_);
            calls_.erase(job);
        }
        try {
            call->complete();
        } catch (std::exception const& error) {
            util::log(logging::error, "a callback of a pool has thrown: {}", error.what());
        } catch (...) {
            util::log(logging::error, "a callback of a pool has thrown");
        }
    }

    // ---- workers -----------------------------------------------------------------------------

    void look_at_members() {
        for (std::size_t i = 0; i < members_.size();) {
            if (!engine_.has_ended(members_[i])) {
                ++i;
                continue;
            }
            auto member = std::move(members_[i]);
            members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(i));
            auto const status = engine_.collect(member);
            util::log(logging::debug, "worker {} ended with status {}", member.pid,
                      status ? std::to_string(*status) : "unknown");
            settle_after(member, status);
            if (status != 0 && !member.is_ready && ++failed_starts_ > most_failed_starts())
                give_up(std::make_exception_ptr(WorkerLostError(member.pid, status)));
        }
        heap::sweep_dead();  // descendants of the dead, whom nobody waits for
        replace_members();
    }
    unsigned most_failed_starts() const { return 10 + 2 * size_; }

    void welcome(heap::SlotStamp stamp) {
        failed_starts_ = 0;
        for (auto& member : members_)
            if (member.stamp == stamp) member.is_ready = true;
    }

    /// Every chunk that the dead worker had in hand.
    void settle_after(Member const& member, std::optional<int> status) {
        for (auto const& [job, call] : all_calls())
            for (std::uint64_t i = 0; call->job() && i < call->chunks(); ++i) {
                auto& word = JobView{call->job().header()}.chunk(i);
                auto const seen = word.load(std::memory_order_acquire);
                if (ChunkWord::worker(seen) != member.stamp) continue;
                if (ChunkWord::phase(seen) == ChunkWord::done) {
                    collect(*call, job, i);
                } else if (ChunkWord::phase(seen) == ChunkWord::running) {
                    lose(*call, job, i, ChunkWord::lost(seen) + 1, member, status);
                }
            }
    }

    void lose(Call& call, std::uint64_t job, std::uint64_t chunk, std::uint64_t times,
              Member const& member, std::optional<int> status) {
        auto& word = JobView{call.job().header()}.chunk(chunk);
        auto reason = std::make_exception_ptr(WorkerLostError(member.pid, status));
        if (times <= call.retries()) {
            try {
                word.store(ChunkWord::pack(ChunkWord::queued, times));
                announce(call.job(), chunk);
                return;
            } catch (MemoryError const&) {
                reason = std::current_exception();
            }
        }
        word.store(ChunkWord::pack(ChunkWord::settled), std::memory_order_release);
        if (call.settle(reason)) complete(job);
    }

    void replace_members() {
        if (broken() || stops_are_sent_ || state() == PoolState::terminate) return;
        try {
            while (members_.size() < size_) {
                members_.push_back(engine_.launch());
                watch(members_.back());
            }
        } catch (std::exception const& error) {
            util::log(logging::error, "a worker cannot be started: {}", error.what());
            if (++failed_starts_ > most_failed_starts()) give_up(std::current_exception());
            else must_poll_ = true;  // try again soon
        }
    }

    void end_members() {
        for (auto& member : members_) engine_.kill(member);
        for (auto& member : members_) engine_.collect(member);
        members_.clear();
    }

    // ---- failure of the pool as a whole ------------------------------------------------------

    bool broken() const {
        std::lock_guard guard(mutex_);
        return broken_ != nullptr;
    }

    static std::exception_ptr reason_in(heap::Header& message) {
        try {
            return detail::read_message(message, [](Reader& in) {
                static_cast<void>(in.read<Outcome>());
                return reduction::load_exception(in);
            });
        } catch (...) {
            return std::current_exception();
        }
    }

    /// No worker can work: everything fails with the reason, now and later.
    void give_up(std::exception_ptr reason) {
        {
            std::lock_guard guard(mutex_);
            if (broken_) return;
            broken_ = reason;
        }
        abandon_all(reason);
    }

    Calls all_calls() {
        std::lock_guard guard(mutex_);
        return calls_;
    }

    void abandon_all(std::exception_ptr const& reason) {
        for (auto const& [job, call] : all_calls()) {
            for (std::uint64_t i = 0; i < call->chunks(); ++i) {
                auto& word = JobView{call->job().header()}.chunk(i);
                auto seen = word.load(std::memory_order_acquire);
                if (ChunkWord::phase(seen) == ChunkWord::queued)
                    word.compare_exchange_strong(seen, ChunkWord::pack(ChunkWord::settled));
            }
            call->abandon(reason);
            complete(job);
        }
    }

    unsigned size_;
    heap::Ring tasks_, news_;
    LocalEngine engine_;
    std::vector<Member> members_;  // of the supervisor's thread, once it runs
    bool must_poll_ = false;
    bool stops_are_sent_ = false;
    unsigned failed_starts_ = 0;  // since a worker was ready last

    mutable std::mutex mutex_;  // of what follows
    PoolState state_ = PoolState::run;
    Calls calls_;
    std::exception_ptr broken_;
    bool is_finished_ = false;
    std::condition_variable finished_;

    std::optional<EndWatch> watch_;
    std::thread thread_;
};

}  // namespace multiprocessing::pool
