// SPDX-License-Identifier: MIT
// multiprocessing/futures/executor.hpp — class ProcessPoolExecutor.
// Layer 6 (pool). Mirrors Lib/concurrent/futures/process.py.
#pragma once

#include <multiprocessing/futures/errors.hpp>
#include <multiprocessing/futures/future.hpp>
#include <multiprocessing/futures/zip.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/pool/basic_pool.hpp>
#include <multiprocessing/pool/processes.hpp>
#include <multiprocessing/start_method.hpp>
#include <multiprocessing/util/finalize.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::futures {

/// A start method, or the context that has it.
class MpContext {
public:
    MpContext() = default;
    MpContext(StartMethod method) : method_(method) {}
    template <class C>
        requires requires(C const& context) {
            { context.start_method() } -> std::same_as<StartMethod>;
        }
    MpContext(C const& context) : method_(context.start_method()) {}

    std::optional<StartMethod> method() const { return method_; }

private:
    std::optional<StartMethod> method_;
};

struct ExecutorOptions {
    std::optional<int> max_workers = std::nullopt;
    MpContext mp_context = {};
    Initializer initializer = {};
    std::optional<std::int64_t> max_tasks_per_child = std::nullopt;
};

struct ExecutorMapOptions {
    Timeout timeout = {};  // for all results, from the call on
    std::int64_t chunksize = 1;
    std::optional<std::int64_t> buffersize = std::nullopt;
};

struct ShutdownOptions {
    bool cancel_futures = false;  // what has not begun never does
};

/// Runs calls in worker processes, which start as there is work for them.
///
/// When a worker ends abruptly, every future that has not ended gets a BrokenProcessPool and the
/// executor is of no more use; a Pool loses that one task only.
/// Sharing: any thread of the process that made it. Arguments and results must be picklable.
/// Python: `concurrent.futures.ProcessPoolExecutor(max_workers=None, mp_context=None,
/// initializer=None, initargs=(), *, max_tasks_per_child=None)`.
/// Differs: no task is handed out ahead, so whatever has not begun can be cancelled; workers start
/// on demand also under fork; what cannot be read back fails its future alone.
class ProcessPoolExecutor {
public:
    /// Errors: ValueError for fewer than 1 worker or task, and for max_tasks_per_child under fork.
    explicit ProcessPoolExecutor(std::optional<int> max_workers = std::nullopt)
        : ProcessPoolExecutor(ExecutorOptions{.max_workers = max_workers}) {}
    explicit ProcessPoolExecutor(ExecutorOptions options)
        : backend_(make(std::move(options))),
          at_exit_(wait_at_exit(), exit_priority) {}

    ProcessPoolExecutor(ProcessPoolExecutor&&) = default;
    ProcessPoolExecutor& operator=(ProcessPoolExecutor&&) = delete;

    /// As shutdown(), unless it was called.
    ~ProcessPoolExecutor() {
        if (!backend_) return;
        if (!backend_->is_mine()) forget();
        else if (is_open_) shutdown();
    }

    /// Shape: arguments are copied (a string literal as a std::string) and pickled here; if they
    /// cannot be, the future has the error.
    /// Errors: RuntimeError after shutdown(); BrokenProcessPool.
    /// Python: `Executor.submit(fn, /, *args, **kwargs)`.
    template <class F, class... A>
    auto submit(F&& function, A&&... arguments) {
        static_assert(pool::Processes::diagnose_call<F, A...>());
        using R = pool::apply_result_t<F, A...>;
        require_open();
        auto core = std::make_shared<detail::TypedCore<R>>();
        auto const call = std::make_shared<detail::FutureCall<R>>(core);
        core->bind(call);
        try {
            backend_->template post_call<R>(call, {}, function, arguments...);
        } catch (BrokenExecutor const&) {
            throw;
        } catch (...) {
            core->set(std::nullopt, std::current_exception());
        }
        return Future<R>(std::move(core));
    }

    /// The results of the function for the elements of one range, or of several at once, in their
    /// order: an input range with next(timeout). Dropping it cancels what has not begun.
    /// Errors: as submit(); ValueError for a chunksize or buffersize below 1. The iterator throws
    /// what a call has thrown and goes on after it; TimeoutError.
    /// Python: `Executor.map(fn, *iterables, timeout=None, chunksize=1, buffersize=None)`.
    /// Differs: a range without length is read as results are taken; also after an exception in a
    /// chunk the iterator goes on, with the next chunk.
    template <class F, std::ranges::input_range... Xs>
    auto map(ExecutorMapOptions options, F&& function, Xs&&... elements) {
        require_open();
        ImapOptions const imap{.chunksize = options.chunksize, .buffersize = options.buffersize};
        Deadline const deadline(options.timeout);
        if constexpr (sizeof...(Xs) == 1) {
            return pool::results_of<reduction::Spread::no>(
                backend_, true, function, std::forward<Xs>(elements)..., imap, deadline);
        } else {
            return pool::results_of<reduction::Spread::yes>(
                backend_, true, function,
                detail::Zip(std::views::all(std::forward<Xs>(elements))...), imap, deadline);
        }
    }
    template <class F, std::ranges::input_range... Xs>
        requires(!std::same_as<std::remove_cvref_t<F>, ExecutorMapOptions>)
    auto map(F&& function, Xs&&... elements) {
        return map(ExecutorMapOptions{}, std::forward<F>(function), std::forward<Xs>(elements)...);
    }
    template <class F, std::ranges::input_range Xs>
    auto map(F&& function, Xs&& elements, ExecutorMapOptions options) {
        return map(options, std::forward<F>(function), std::forward<Xs>(elements));
    }
    template <class F, class X>
    auto map(F&& function, std::initializer_list<X> elements, ExecutorMapOptions options = {}) {
        return map(options, std::forward<F>(function), std::vector<X>(elements));
    }

    /// No more calls; what was submitted still runs. May be called again.
    /// Blocks: until all of it has ended, unless `wait` is false.
    /// Python: `Executor.shutdown(wait=True, *, cancel_futures=False)`.
    void shutdown(bool wait = true, ShutdownOptions options = {}) {
        auto const& supervisor = backend_->supervisor();
        is_open_ = false;
        supervisor->close();
        if (options.cancel_futures) supervisor->cancel_queued();
        if (wait) {
            supervisor->join();
            at_exit_.cancel();
        } else if (at_exit_.still_active()) {
            supervisor->keep();
            util::Finalize::at_exit(exit_priority, wait_at_exit());
            at_exit_.cancel();
        }
    }

    /// Ends the workers at once, by SIGTERM or SIGKILL; what ran gets BrokenProcessPool, what had
    /// not begun is cancelled. Never blocks; nothing happens if no worker lives.
    /// Python: `ProcessPoolExecutor.terminate_workers()`, `kill_workers()`.
    void terminate_workers() { force(pool::Force::terminate); }
    void kill_workers() { force(pool::Force::kill); }

    /// The workers that live now. Python: none.
    [[nodiscard]] std::vector<std::int64_t> pids() const { return backend_->supervisor()->pids(); }

private:
    static constexpr int exit_priority = 15;

    static std::shared_ptr<pool::Processes> make(ExecutorOptions options) {
        auto const workers = options.max_workers.value_or(platform::process_cpu_count());
        if (workers < 1) throw ValueError("max_workers must be greater than 0");
        auto method = options.mp_context.method();
        pool::WorkerOrder order;
        order.outlives_exit = true;
        if (auto const most = options.max_tasks_per_child) {
            if (*most < 1) throw ValueError("max_tasks_per_child must be >= 1");
            if (!method) method = StartMethod::spawn;
            if (method == StartMethod::fork)
                throw ValueError("max_tasks_per_child is incompatible with the 'fork' "
                                 "multiprocessing start method; supply a different mp_context");
            order.tasks_per_child = static_cast<std::uint64_t>(*most);
        }
        options.initializer.write(order);
        pool::Policy policy{.on_demand = true, .daemon = false, .kind = "Process"};
        policy.broken = [](std::exception_ptr const& cause) { return broken(cause); };
        return std::make_shared<pool::Processes>(method ? *method : process::fix_method(),
                                                 static_cast<unsigned>(workers), std::move(order),
                                                 std::move(policy));
    }

    static std::exception_ptr broken(std::exception_ptr const& cause) {
        std::string text = "a process of the executor ended abruptly";
        try {
            std::rethrow_exception(cause);
        } catch (std::exception const& error) {
            text += fmt::format(": {}", error.what());
        } catch (...) {
        }
        return std::make_exception_ptr(BrokenProcessPool(text, cause));
    }

    /// What was submitted is completed before the program ends.
    std::function<void()> wait_at_exit() const {
        return [weak = std::weak_ptr(backend_->supervisor())] {
            auto const supervisor = weak.lock();
            if (!supervisor) return;
            supervisor->close();
            supervisor->join();
        };
    }

    void require_open() const {
        auto const& supervisor = backend_->supervisor();
        if (supervisor->state() != pool::PoolState::run)
            throw RuntimeError("cannot schedule new futures after shutdown");
        supervisor->require_running();
    }

    /// In a forked child: its threads are not here.
    void forget() {
        new std::shared_ptr(backend_);
        new util::Finalize(std::move(at_exit_));
    }

    void force(pool::Force how) {
        shutdown(false, {.cancel_futures = true});
        backend_->supervisor()->force(how);
    }

    std::shared_ptr<pool::Processes> backend_;
    util::Finalize at_exit_;
    bool is_open_ = true;
};

}  // namespace multiprocessing::futures
