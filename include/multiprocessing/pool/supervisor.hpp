// SPDX-License-Identifier: MIT
// multiprocessing/pool/supervisor.hpp — the thread that looks after a pool's workers and collects
// their results.
// Layer 6 (pool). Mirrors _handle_workers and _handle_results of Lib/multiprocessing/pool.py.
//
// Truth lies in the chunks of the jobs and on the desks, not in the news: news only say where to
// look.
#pragma once

#include <multiprocessing/pool/board.hpp>
#include <multiprocessing/pool/policy.hpp>
#include <multiprocessing/pool/roster.hpp>
#include <multiprocessing/util/log.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// The pool but for its types. Its public functions may be called by any thread.
class Supervisor final : public Runner {
public:
    Supervisor(StartMethod method, unsigned workers, WorkerOrder order, Policy policy = {})
        : size_(workers),
          policy_(std::move(policy)),
          tasks_(order.tasks),
          news_(order.news),
          desks_(order.desks = make_desks(workers)),
          roster_(LocalEngine(method, std::move(order), policy_), news_, workers) {
        try {
            while (!policy_.on_demand && roster_.count() < size_) roster_.launch();
            wake();  // the ring has room for some news from now on, whatever becomes of memory
            roster_.begin_watch();
        } catch (...) {
            roster_.end_all();
            throw;
        }
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
    std::vector<std::int64_t> pids() const { return roster_.pids(); }

    /// Takes over a call whose job is written.
    /// Errors: ValueError when the pool takes no more work; MemoryError.
    void submit(std::shared_ptr<Posted> const& posted, std::weak_ptr<Runner> self) {
        auto const number = posted->job.ref().bits;
        auto const chunks = posted->call->chunks();
        posted->call->posted(std::move(self), number);
        {
            std::lock_guard guard(mutex_);
            if (broken_) std::rethrow_exception(broken_());
            if (state_ != PoolState::run) throw ValueError("Pool not running");
            board_.add(posted);
        }
        if (posted->limits.timeout != Timeout{}) watches_clock_ = true;
        try {
            for (std::uint64_t i = 0; i < chunks; ++i) announce(posted->job, i);
            if (watches_clock_ || roster_.count() < size_) wake();
        } catch (...) {
            board_.remove(number);
            throw;
        }
    }

    bool cancel(Call& call, bool running) override {
        auto const posted = board_.find(call.number());
        if (!posted) return false;
        auto const withdrawn = Board::cancel_queued(*posted);
        bool const stops = running && is_running(*posted);
        if (withdrawn == 0 && !stops) return false;
        {
            std::lock_guard guard(mutex_);
            wishes_.push_back({posted, withdrawn, stops});
        }
        try_wake();
        return true;
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
    struct Wish {
        PostedCall posted;
        std::uint64_t withdrawn;
        bool stops;
    };

    static constexpr std::uint64_t longest_nap_ns = 200'000'000;
    static constexpr std::uint64_t short_nap_ns = 10'000'000;

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

    void announce(heap::Shared const& job, std::uint64_t chunk) {
        auto message = make_announcement(job, chunk);
        tasks_.put(message, Deadline{});
    }

    void run() {
        do {
            bool const naps_short = roster_.must_poll() || tries_again_ || watches_clock_;
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
        roster_.end_watch();
        board_.abandon_all([] {
            return std::make_exception_ptr(
                RuntimeError("the pool was terminated before the task had ended"));
        });
        std::lock_guard guard(mutex_);
        is_finished_ = true;
        finished_.notify_all();
    }

    void handle(News const& news) {
        if (news.kind == News::chunk_done) {
            if (auto const posted = board_.find(news.job)) board_.collect(*posted, news.chunk);
            if (watches_clock_ && platform::monotonic_ns() > next_look_) look();
        } else if (news.kind == News::worker_ready) {
            failed_starts_ = 0;
            roster_.welcome(heap::SlotStamp::from(news.worker));
        } else {
            look();
        }
    }

    /// True when there is nothing more to do, ever.
    bool is_over() {
        auto const state = this->state();
        if (state == PoolState::terminate) {
            roster_.end_all();
            return true;
        }
        if (state == PoolState::close && board_.empty()) {
            if (roster_.empty()) return true;
            if (!stops_are_sent_) send_stops();
        }
        return false;
    }

    void send_stops() {
        try {
            for (auto n = roster_.count(); n > 0; --n)
                tasks_.put(std::span<std::byte const>{}, Deadline{});
            stops_are_sent_ = true;
        } catch (MemoryError const& error) {
            util::log(logging::error, "the workers of a pool cannot be stopped yet: {}",
                      error.what());
        }
    }

    void look() {
        next_look_ = platform::monotonic_ns() + short_nap_ns;
        fulfil_wishes();
        if (watches_clock_) stop_late_ones();
        roster_.take_ended([this](Member const& member, std::optional<int> status) {
            util::log(logging::debug, "worker {} ended with status {}", member.pid,
                      status ? std::to_string(*status) : "unknown");
            settle_after(member, status);
        });
        heap::sweep_dead();  // descendants of the dead, whom nobody waits for
        launch_missing();
    }

    // ---- workers that are stopped in a task --------------------------------------------------

    static bool is_running(Posted const& posted) {
        for (std::uint64_t i = 0; i < posted.call->chunks(); ++i)
            if (ChunkWord::phase(posted.view().chunk(i).load()) == ChunkWord::running) return true;
        return false;
    }

    /// The chunk at which a worker is now, if that is the case.
    PostedCall at_work(Member const& member, std::uint64_t& chunk) const {
        auto const& place = desk(desks_, member.desk);
        auto posted = board_.find(place.job.load(std::memory_order_acquire));
        chunk = place.chunk.load(std::memory_order_relaxed);
        if (!posted || chunk >= posted->call->chunks()) return nullptr;
        auto const seen = posted->view().chunk(chunk).load(std::memory_order_acquire);
        if (ChunkWord::worker(seen) != member.stamp || ChunkWord::phase(seen) != ChunkWord::running)
            return nullptr;
        return posted;
    }

    void stop(Member& member, Posted const& posted, std::uint64_t chunk, std::exception_ptr why) {
        member.doom = Doom{posted.call->number(), chunk, std::move(why)};
        roster_.kill(member);
    }

    void fulfil_wishes() {
        std::vector<Wish> wishes;
        {
            std::lock_guard guard(mutex_);
            wishes.swap(wishes_);
        }
        for (auto const& wish : wishes) {
            board_.fail_cancelled(*wish.posted, wish.withdrawn);
            std::uint64_t chunk = 0;
            for (auto& member : roster_.members())
                if (wish.stops && !member.doom && at_work(member, chunk) == wish.posted)
                    stop(member, *wish.posted, chunk,
                         std::make_exception_ptr(CancelledError("the task was cancelled")));
        }
    }

    void stop_late_ones() {
        auto const now = platform::monotonic_ns();
        std::uint64_t chunk = 0;
        for (auto& member : roster_.members()) {
            auto const began = desk(desks_, member.desk).began.load(std::memory_order_acquire);
            auto const posted = at_work(member, chunk);
            if (!posted || began == 0 || member.doom || now - began < posted->limits.timeout.ns())
                continue;
            stop(member, *posted, chunk,
                 std::make_exception_ptr(
                     TimeoutError("the task took too long, and its worker was killed")));
        }
    }

    // ---- workers that have ended -------------------------------------------------------------

    /// What the dead worker had in hand.
    void settle_after(Member const& member, std::optional<int> status) {
        bool lost = false;
        auto const& place = desk(desks_, member.desk);
        auto const chunk = place.chunk.load(std::memory_order_relaxed);
        auto const posted = board_.find(place.job.load(std::memory_order_acquire));
        if (posted && chunk < posted->call->chunks()) {
            auto const seen = posted->view().chunk(chunk).load(std::memory_order_acquire);
            if (ChunkWord::worker(seen) == member.stamp) {
                lost = ChunkWord::phase(seen) == ChunkWord::running;
                if (ChunkWord::phase(seen) == ChunkWord::done) board_.collect(*posted, chunk);
            }
            if (lost && !(policy_.broken && !member.doom))
                lose(*posted, chunk, ChunkWord::lost(seen), member, status);
        }
        if (policy_.broken && !member.doom && (lost || status != 0))
            return give_up(std::make_exception_ptr(WorkerLostError(member.pid, status)));
        if (status != 0 && !member.is_ready && ++failed_starts_ > most_failed_starts())
            give_up(std::make_exception_ptr(WorkerLostError(member.pid, status)));
    }
    unsigned most_failed_starts() const { return 10 + 2 * size_; }

    void lose(Posted const& posted, std::uint64_t chunk, std::uint64_t times, Member const& member,
              std::optional<int> status) {
        std::exception_ptr reason;
        bool again = !posted.is_cancelled.load();
        if (member.doom && member.doom->job == posted.call->number() &&
            member.doom->chunk == chunk) {
            reason = member.doom->reason;
            again = false;
        } else if (!member.doom) {  // else it was killed for what it had finished in that moment
            again = again && ++times <= posted.limits.retries;
            auto const chunks = posted.call->chunks();
            reason = std::make_exception_ptr(WorkerLostError(
                member.pid, status,
                chunks == 1 ? "the task" : fmt::format("chunk {} of {}", chunk + 1, chunks)));
        } else {
            reason = std::make_exception_ptr(CancelledError("the task was cancelled"));
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

    void launch_missing() {
        tries_again_ = false;
        if (broken() || stops_are_sent_ || state() == PoolState::terminate) return;
        auto const wanted = policy_.on_demand ? board_.load(size_) : size_;
        try {
            while (roster_.count() < wanted) roster_.launch();
        } catch (std::exception const& error) {
            util::log(logging::error, "a worker cannot be started: {}", error.what());
            if (++failed_starts_ > most_failed_starts() || policy_.broken)
                give_up(std::current_exception());
            else tries_again_ = true;
        }
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
    void give_up(std::exception_ptr const& reason) {
        std::function<std::exception_ptr()> make = [reason] { return reason; };
        if (policy_.broken) make = [reason, wrap = policy_.broken] { return wrap(reason); };
        {
            std::lock_guard guard(mutex_);
            if (broken_) return;
            broken_ = make;
        }
        for (auto const& member : roster_.members())
            if (policy_.broken) roster_.kill(member);
        board_.abandon_all(make);
    }

    unsigned size_;
    Policy policy_;
    heap::Ring tasks_, news_;
    heap::Shared desks_;
    Board board_;
    Roster roster_;
    bool stops_are_sent_ = false;
    bool tries_again_ = false;
    unsigned failed_starts_ = 0;  // since a worker was ready last
    std::uint64_t next_look_ = 0;
    std::atomic<bool> watches_clock_{false};

    mutable std::mutex mutex_;  // of what follows
    PoolState state_ = PoolState::run;
    std::vector<Wish> wishes_;
    std::function<std::exception_ptr()> broken_;
    bool is_finished_ = false;
    std::condition_variable finished_;

    std::thread thread_;
};

}  // namespace multiprocessing::pool
