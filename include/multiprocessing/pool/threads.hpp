// SPDX-License-Identifier: MIT
// multiprocessing/pool/threads.hpp — what a pool runs on: threads of this process.
// Layer 6 (pool). Mirrors ThreadPool of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/pool/policy.hpp>
#include <multiprocessing/reduction/map.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// Runs calls in threads. Nothing is pickled: functions may capture anything, arguments and results
/// may be of any type that can be moved. All threads call the same copy of a function.
/// Sharing: any thread.
class Threads final : public Runner, public std::enable_shared_from_this<Threads> {
public:
    static constexpr char const* name = "ThreadPool";

    Threads(unsigned workers, std::function<void()> initializer)
        : size_(workers), initializer_(std::move(initializer)) {
        try {
            for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { run(); });
        } catch (...) {
            terminate();
            join();
            throw;
        }
    }

    unsigned size() const { return size_; }
    PoolState state() const {
        std::lock_guard guard(mutex_);
        return state_;
    }

    void close() {
        std::lock_guard guard(mutex_);
        state_ = std::max(state_, PoolState::close);
        changed_.notify_all();
    }
    void terminate() {
        {
            std::lock_guard guard(mutex_);
            state_ = PoolState::terminate;
            changed_.notify_all();
        }
        abandon_all(std::make_exception_ptr(
            RuntimeError("the pool was terminated before the task had ended")));
    }

    /// Blocks: until all threads have ended. Errors: ValueError before close() or terminate().
    void join() {
        if (state() == PoolState::run) throw ValueError("Pool is still running");
        std::lock_guard guard(join_mutex_);
        for (auto& thread : threads_)
            if (thread.joinable() && thread.get_id() != std::this_thread::get_id()) thread.join();
    }

    bool cancel(Call& call, bool) override {
        std::vector<Task> withdrawn;
        {
            std::lock_guard guard(mutex_);
            std::deque<Task> others;
            for (auto& task : tasks_)
                if (task.call.get() == &call) withdrawn.push_back(std::move(task));
                else others.push_back(std::move(task));
            tasks_.swap(others);
        }
        std::lock_guard guard(settle_mutex_);
        if (!withdrawn.empty()) call.withdraw();
        for (auto const& task : withdrawn) settle(task.call, Call::cancelled());
        return !withdrawn.empty();
    }

    bool is_running(Call const& call) const override {
        std::lock_guard guard(mutex_);
        return running_.count(&call) != 0;
    }

    // ---- calls; each throws ValueError once the pool is closed -------------------------------

    template <class F, class... A>
    static consteval bool diagnose_call() {
        return reduction::diagnose_call<F, A...>();
    }
    template <class F, class X, reduction::Spread spread>
    static consteval bool diagnose_map() {
        static_assert(reduction::InvocableMap<F, X, spread>,
                      "the function cannot be called with an element: map passes each as an "
                      "rvalue, starmap unpacks each as a tuple of arguments");
        return true;
    }

    template <class R, class F, class... A>
    void post_call(std::shared_ptr<ValueCall<R>> call, Limits, F&& function, A&&... arguments) {
        struct Bound {
            reduction::stored_t<F> function;
            std::tuple<reduction::stored_t<A>...> arguments;
        };
        auto bound = std::make_shared<Bound>(
            Bound{std::forward<F>(function), {std::forward<A>(arguments)...}});
        auto& target = *call;
        post(std::move(call), [bound = std::move(bound), &target](std::uint64_t) {
            auto const run = [&]() -> decltype(auto) {
                return std::apply(
                    [&](auto&... a) -> decltype(auto) {
                        return std::invoke(bound->function, std::move(a)...);
                    },
                    bound->arguments);
            };
            if constexpr (std::is_void_v<R>) run(), target.store({});
            else target.store(R(run()));
        });
    }

    /// A map's function: called with an element, it stores the result.
    template <class X, class R>
    struct Mapped {
        std::function<void(X&&, typename ElementsCall<R>::Values&)> add;
    };
    using Function = std::shared_ptr<void>;  // a Mapped<X, R>

    template <class X, reduction::Spread spread, class F>
    Function prepare(F& function) const {
        using Spreader = reduction::detail::SpreadCall<reduction::stored_t<F>, X, spread>;
        using R = reduction::map_result_t<F, X, spread>;
        auto kept = std::make_shared<reduction::stored_t<F>>(function);
        return std::make_shared<Mapped<X, R>>(
            [kept = std::move(kept)](X&& element, typename ElementsCall<R>::Values& values) {
                if constexpr (std::is_void_v<R>)
                    Spreader::call(*kept, std::move(element)), values.emplace_back();
                else values.push_back(R(Spreader::call(*kept, std::move(element))));
            });
    }

    /// Reads as many elements from `at` as the call has.
    template <class X, class R, class I>
    void post_map(std::shared_ptr<ElementsCall<R>> call, Function const& function, I at, Limits) {
        auto elements = std::make_shared<std::vector<X>>();
        elements->reserve(call->elements());
        for (auto n = call->elements(); n > 0; --n, ++at) elements->push_back(*at);
        auto& target = *call;
        post(std::move(call), [elements = std::move(elements), function,
                               &target](std::uint64_t chunk) {
            auto const& mapped = *static_cast<Mapped<X, R> const*>(function.get());
            typename ElementsCall<R>::Values values;
            values.reserve(target.count(chunk));
            for (auto i = target.first(chunk), end = i + target.count(chunk); i < end; ++i)
                mapped.add(std::move((*elements)[i]), values);
            target.store(chunk, std::move(values));
        });
    }

private:
    struct Task {
        std::shared_ptr<Call> call;
        std::shared_ptr<std::function<void(std::uint64_t)>> work;
        std::uint64_t chunk;
    };

    void post(std::shared_ptr<Call> call, std::function<void(std::uint64_t)> work) {
        auto const shared = std::make_shared<std::function<void(std::uint64_t)>>(std::move(work));
        std::lock_guard guard(mutex_);
        if (broken_) std::rethrow_exception(broken_);
        if (state_ != PoolState::run) throw ValueError("Pool not running");
        call->posted(weak_from_this(), 0);
        calls_.insert(call);
        for (std::uint64_t i = 0; i < call->chunks(); ++i) tasks_.push_back({call, shared, i});
        if (call->chunks() == 1) changed_.notify_one();
        else changed_.notify_all();
    }

    void run() {
        try {
            if (initializer_) initializer_();
        } catch (...) {
            {
                std::lock_guard guard(mutex_);
                if (!broken_) broken_ = std::current_exception();
            }
            return abandon_all(broken_);
        }
        for (;;) {
            Task task;
            {
                std::unique_lock guard(mutex_);
                changed_.wait(guard,
                              [this] { return !tasks_.empty() || state_ != PoolState::run; });
                if (tasks_.empty()) return;
                task = std::move(tasks_.front());
                tasks_.pop_front();
                running_.insert(task.call.get());
            }
            std::exception_ptr error;
            try {
                (*task.work)(task.chunk);
            } catch (...) {
                error = std::current_exception();
            }
            {
                std::lock_guard guard(mutex_);
                running_.erase(running_.find(task.call.get()));
            }
            task.work.reset();  // what it keeps is gone before anybody hears of the result
            settle(task.call, std::move(error));
        }
    }

    /// One at a time, as callbacks have to be.
    void settle(std::shared_ptr<Call> const& call, std::exception_ptr error) {
        std::lock_guard guard(settle_mutex_);
        if (call->settle(std::move(error))) complete(call);
    }

    void abandon_all(std::exception_ptr const& reason) {
        std::unordered_set<std::shared_ptr<Call>> calls;
        std::deque<Task> dropped;
        {
            std::lock_guard guard(mutex_);
            calls = calls_;
            dropped.swap(tasks_);
        }
        std::lock_guard guard(settle_mutex_);
        for (auto const& call : calls)
            if (call->abandon(reason)) complete(call);
    }

    void complete(std::shared_ptr<Call> const& call) {
        {
            std::lock_guard guard(mutex_);
            calls_.erase(call);
        }
        call->complete();
    }

    unsigned size_;
    std::function<void()> initializer_;
    std::recursive_mutex settle_mutex_;  // of settling; a callback may cancel or terminate
    std::mutex join_mutex_;

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable changed_;
    PoolState state_ = PoolState::run;
    std::deque<Task> tasks_;
    std::unordered_set<std::shared_ptr<Call>> calls_;
    std::unordered_multiset<Call const*> running_;
    std::exception_ptr broken_;

    std::vector<std::thread> threads_;
};

}  // namespace multiprocessing::pool
