// SPDX-License-Identifier: MIT
// multiprocessing/pool/supervisor.hpp — the thread that collects a pool's results and looks after
// its workers.
// Layer 6 (pool). Mirrors _handle_workers and _handle_results of Lib/multiprocessing/pool.py.
//
// Truth lies in the chunks of the jobs and on the desks, not in the news: news only say where to
// look.
#pragma once

#include <multiprocessing/pool/board.hpp>
#include <multiprocessing/pool/book.hpp>
#include <multiprocessing/pool/foreman.hpp>
#include <multiprocessing/pool/policy.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// The pool but for its types. Its public functions may be called by any thread.
class Supervisor final : public Runner, public std::enable_shared_from_this<Supervisor> {
public:
    Supervisor(StartMethod method, unsigned workers, WorkerOrder order, Policy policy = {})
        : size_(workers),
          policy_(std::move(policy)),
          news_(order.news),
          foreman_(method, workers, std::move(order), policy_, board_) {
        wake();  // the ring has room for some news from now on, whatever becomes of memory
        foreman_.begin();
        thread_ = std::thread([this] { run(); });
    }
    ~Supervisor() override {
        terminate();
        if (thread_.get_id() == std::this_thread::get_id()) thread_.detach();
        else thread_.join();
    }

    unsigned size() const { return size_; }
    PoolState state() const {
        std::lock_guard guard(mutex_);
        return state_;
    }
    std::vector<std::int64_t> pids() const { return foreman_.pids(); }
    Book& book() { return book_; }

    /// Errors: why the pool has failed, if it has; ValueError when it takes no more work.
    void require_running() const {
        std::lock_guard guard(mutex_);
        require_running_locked();
    }

    /// Takes over a call whose job is written.
    /// Errors: as require_running(); MemoryError.
    void submit(std::shared_ptr<Posted> const& posted) {
        auto const number = posted->job.ref().bits;
        posted->call->posted(weak_from_this(), number);
        if (!posted->limits.timeout.is_forever()) watches_clock_ = true;
        {
            std::lock_guard guard(mutex_);
            require_running_locked();
            board_.add(posted);
        }
        try {
            for (std::uint64_t i = 0; i < posted->call->chunks(); ++i)
                foreman_.announce(posted->job, i);
            if (watches_clock_ || foreman_.count() < size_) wake();
        } catch (...) {
            board_.remove(number);
            throw;
        }
    }

    bool cancel(Call& call, bool running) override {
        auto const posted = board_.find(call.number());
        return posted && cancel(posted, running);
    }
    bool is_running(Call const& call) const override {
        auto const posted = board_.find(call.number());
        return posted && Board::is_running(*posted);
    }

    /// What has not begun never does.
    void cancel_queued() {
        for (auto const& posted : board_.all()) cancel(posted, false);
    }

    void close() { enter(PoolState::close); }
    void terminate() { enter(PoolState::terminate); }

    /// Ends the workers that there are by force, at any time.
    void force(Force how) {
        {
            std::lock_guard guard(mutex_);
            force_ = how;
        }
        try_wake();
    }

    /// Blocks: until all workers have ended. Errors: ValueError before close() or terminate().
    void join() {
        if (std::this_thread::get_id() == thread_.get_id()) return;  // a callback has called exit
        std::unique_lock guard(mutex_);
        if (state_ == PoolState::run) throw ValueError("Pool is still running");
        finished_.wait(guard, [this] { return is_finished_; });
    }

    /// It lives until its work is done, whoever forgets it.
    void keep() {
        std::lock_guard guard(mutex_);
        if (!is_finished_) self_ = shared_from_this();
    }

private:
    struct Wish {
        PostedCall posted;
        std::uint64_t withdrawn;
        bool stops;
    };

    static constexpr std::uint64_t longest_nap_ns = 200'000'000;
    static constexpr std::uint64_t short_nap_ns = 10'000'000;

    void require_running_locked() const {
        if (broken_) std::rethrow_exception(broken_());
        if (state_ != PoolState::run) throw ValueError("Pool not running");
    }

    bool cancel(PostedCall const& posted, bool running) {
        auto const withdrawn = Board::cancel_queued(*posted);
        bool const stops = running && Board::is_running(*posted);
        if (withdrawn == 0 && !stops) return false;
        {
            std::lock_guard guard(mutex_);
            wishes_.push_back({posted, withdrawn, stops});
        }
        try_wake();
        return true;
    }

    void enter(PoolState state) {
        {
            std::lock_guard guard(mutex_);
            if (state_ >= state) return;
            state_ = state;
        }
        try_wake();
    }

    void wake() { tell(news_, {News::look_again}); }
    void try_wake() {
        try {
            wake();
        } catch (MemoryError const&) {
            // It looks by itself, a little later.
        }
    }

    void run() {
        do {
            bool const naps_short = foreman_.must_poll() || watches_clock_;
            auto const deadline =
                Deadline(Timeout::from_ns(naps_short ? short_nap_ns : longest_nap_ns));
            News news{News::look_again};
            heap::Hand failure;
            news_.get(
                [&](heap::RingItem& item) {
                    if (item.is_message()) failure = item.take();
                    else std::memcpy(&news, item.bytes().data(), sizeof news);
                },
                deadline);
            if (failure) give_up(reason_in(failure.header()));
            else handle(news);
            failure.drop();
        } while (!is_over());
        foreman_.end();
        book_.end_trace();
        fulfil_wishes();
        board_.abandon_all([] {
            return std::make_exception_ptr(
                RuntimeError("the pool was terminated before the task had ended"));
        });
        std::shared_ptr<Supervisor> self;  // destroyed last, in this thread
        std::lock_guard guard(mutex_);
        is_finished_ = true;
        finished_.notify_all();
        self.swap(self_);
    }

    void handle(News const& news) {
        if (news.kind == News::chunk_done) {
            book_.add(news);
            if (auto const posted = board_.find(news.job)) board_.collect(*posted, news.chunk);
            if (watches_clock_ && platform::monotonic_ns() > next_look_) look();
        } else if (news.kind == News::worker_ready) {
            book_.open(news);
            foreman_.welcome();
        } else {
            look();
        }
    }

    /// True when there is nothing more to do, ever.
    bool is_over() {
        auto const now = state();
        if (now == PoolState::terminate) return true;
        if (now != PoolState::close || !board_.empty()) return false;
        if (foreman_.count() == 0) return true;
        foreman_.dismiss();
        return false;
    }

    void look() {
        next_look_ = platform::monotonic_ns() + short_nap_ns;
        fulfil_wishes();
        if (watches_clock_) foreman_.stop_late_ones();
        if (auto const reason = foreman_.settle_ended()) give_up(reason);
        if (is_broken() || state() == PoolState::terminate) return;
        if (auto const reason = foreman_.launch_missing()) give_up(reason);
    }

    void fulfil_wishes() {
        std::vector<Wish> wishes;
        Force forced{};
        {
            std::lock_guard guard(mutex_);
            wishes.swap(wishes_);
            forced = std::exchange(force_, Force::none);
        }
        for (auto const& wish : wishes) {
            board_.fail_cancelled(*wish.posted, wish.withdrawn);
            if (wish.stops) foreman_.stop(wish.posted);
        }
        foreman_.force(forced);
    }

    // ---- failure of the pool as a whole ------------------------------------------------------

    bool is_broken() const {
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
    void give_up(std::exception_ptr const& reason) {
        std::function<std::exception_ptr()> make = [reason] { return reason; };
        if (policy_.broken) make = [reason, wrap = policy_.broken] { return wrap(reason); };
        {
            std::lock_guard guard(mutex_);
            if (broken_) return;
            broken_ = make;
        }
        if (policy_.broken) foreman_.force(Force::kill);
        board_.abandon_all(make);
    }

    unsigned size_;
    Policy policy_;
    heap::Ring news_;
    Book book_;
    Board board_;
    Foreman foreman_;
    std::uint64_t next_look_ = 0;
    std::atomic<bool> watches_clock_{false};

    mutable std::mutex mutex_;  // of what follows
    PoolState state_ = PoolState::run;
    std::vector<Wish> wishes_;
    Force force_ = Force::none;
    std::function<std::exception_ptr()> broken_;  // set once
    bool is_finished_ = false;
    std::condition_variable finished_;
    std::shared_ptr<Supervisor> self_;

    std::thread thread_;
};

}  // namespace multiprocessing::pool
