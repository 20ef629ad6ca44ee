// SPDX-License-Identifier: MIT
// multiprocessing/pool/async_result.hpp — a result that will be there, and what the pool's process
// knows of a call.
// Layer 6 (pool). Mirrors ApplyResult and MapResult of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace multiprocessing::pool {

/// A call under way, whatever its type. The supervisor alone calls settle functions, once a chunk.
class Call {
public:
    Call(heap::Shared job, std::uint64_t chunks, unsigned retries)
        : job_(std::move(job)), unsettled_(chunks), retries_(retries) {}
    virtual ~Call() = default;

    heap::Shared const& job() const { return job_; }
    unsigned retries() const { return retries_; }
    std::uint64_t chunks() const { return JobView{job_.header()}.body().chunks; }

    /// Reads the outcome of a chunk. True when it was the last one.
    bool settle(std::uint64_t chunk, heap::Header& outcome) {
        std::exception_ptr error;
        try {
            detail::read_message(outcome, [&](Reader& in) {
                if (in.read<Outcome>() == Outcome::value) accept(chunk, in);
                else error = reduction::load_exception(in);
            });
        } catch (...) {
            error = std::current_exception();  // a result that cannot be rebuilt fails its task
        }
        return settled(error);
    }
    bool settle(std::exception_ptr const& error) { return settled(error); }

    /// Ends the whole call with an error, unless it has ended.
    void abandon(std::exception_ptr const& error) {
        if (!error_) error_ = error;
        unsettled_ = 0;
    }

    /// Runs the callback and lets everybody who waits go on.
    void complete() {
        job_ = {};
        finish(error_);
    }

protected:
    virtual void accept(std::uint64_t chunk, Reader& in) = 0;
    virtual void finish(std::exception_ptr error) = 0;

private:
    bool settled(std::exception_ptr const& error) {
        if (error && !error_) error_ = error;  // the first one that arrived, as in Python
        return --unsettled_ == 0;
    }

    heap::Shared job_;
    std::uint64_t unsettled_;
    unsigned retries_;
    std::exception_ptr error_;
};

/// What stands for the value of a call that returns nothing.
template <class R>
using stored_result_t = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

/// A value or an exception, for threads that wait for it.
template <class R>
class Promise {
public:
    using Value = stored_result_t<R>;

    void set(std::optional<Value> value, std::exception_ptr error) {
        {
            std::lock_guard guard(mutex_);
            value_ = std::move(value);
            error_ = std::move(error);
            ready_ = true;
        }
        changed_.notify_all();
    }
    bool wait(Timeout timeout) {
        std::unique_lock guard(mutex_);
        auto const is_ready = [this] { return ready_; };
        // Longer than this is for ever; it keeps the clock from overflowing.
        constexpr std::uint64_t long_ns = 100ull * 365 * 24 * 3600 * 1'000'000'000;
        if (timeout.ns() < long_ns)
            return changed_.wait_for(guard, std::chrono::nanoseconds(timeout.ns()), is_ready);
        changed_.wait(guard, is_ready);
        return true;
    }
    bool ready() const {
        std::lock_guard guard(mutex_);
        return ready_;
    }
    bool successful() const {
        std::lock_guard guard(mutex_);
        if (!ready_) throw ValueError("the result is not ready");
        return error_ == nullptr;
    }
    R get(Timeout timeout) {
        if (!wait(timeout)) throw TimeoutError("the result was not ready in time");
        std::lock_guard guard(mutex_);
        if (error_) std::rethrow_exception(error_);
        if constexpr (!std::is_void_v<R>) {
            if constexpr (std::is_copy_constructible_v<R>) return *value_;
            else if (value_) return *std::exchange(value_, std::nullopt);
            else throw ValueError("the result has been taken, and it cannot be copied");
        }
    }
    /// For one who alone waits: moves the value out.
    R take() {
        wait({});
        if (error_) std::rethrow_exception(error_);
        if constexpr (!std::is_void_v<R>) return std::move(*value_);
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool ready_ = false;
    std::optional<Value> value_;
    std::exception_ptr error_;
};

/// Called when a result is there, and when there is an error instead. In the pool's own thread: a
/// slow one holds up all results; one that throws is logged.
template <class R>
struct Callbacks {
    using Success = std::conditional_t<std::is_void_v<R>, std::function<void()>,
                                       std::function<void(stored_result_t<R> const&)>>;
    Success callback;
    std::function<void(std::exception_ptr)> error_callback;
};

/// A call with its typed result.
template <class R>
class TypedCall : public Call {
public:
    using Result = R;

    TypedCall(heap::Shared job, std::uint64_t chunks, unsigned retries, Callbacks<R> callbacks)
        : Call(std::move(job), chunks, retries), callbacks_(std::move(callbacks)) {}

    Promise<R>& promise() { return promise_; }

protected:
    virtual stored_result_t<R> take_value() = 0;

    void finish(std::exception_ptr error) final {
        std::optional<stored_result_t<R>> value;
        std::exception_ptr thrown;
        try {
            if (!error) value = take_value();
            if (error && callbacks_.error_callback) callbacks_.error_callback(error);
            if constexpr (std::is_void_v<R>) {
                if (!error && callbacks_.callback) callbacks_.callback();
            } else {
                if (!error && callbacks_.callback) callbacks_.callback(*value);
            }
        } catch (...) {
            thrown = std::current_exception();
        }
        callbacks_ = {};
        promise_.set(std::move(value), std::move(error));
        if (thrown) std::rethrow_exception(thrown);
    }

private:
    Promise<R> promise_;
    Callbacks<R> callbacks_;
};

template <class R>
class ApplyCall final : public TypedCall<R> {
public:
    using TypedCall<R>::TypedCall;

private:
    void accept(std::uint64_t, Reader& in) override {
        if constexpr (std::is_void_v<R>) value_.emplace();
        else value_.emplace(reduction::load_result<R>(in));
    }
    stored_result_t<R> take_value() override { return std::move(*value_); }

    std::optional<stored_result_t<R>> value_;
};

/// R is what one element gives; the result is a vector in input order, or nothing.
template <class R>
using map_value_t = std::conditional_t<std::is_void_v<R>, void, std::vector<stored_result_t<R>>>;

template <class R>
class MapCall final : public TypedCall<map_value_t<R>> {
public:
    MapCall(heap::Shared job, std::uint64_t chunks, unsigned retries,
            Callbacks<map_value_t<R>> callbacks, std::uint64_t elements, std::uint64_t chunksize)
        : TypedCall<map_value_t<R>>(std::move(job), chunks, retries, std::move(callbacks)),
          elements_(elements), chunksize_(chunksize), parts_(chunks) {}

private:
    void accept(std::uint64_t chunk, Reader& in) override {
        if constexpr (!std::is_void_v<R>) {
            auto const first = chunk * chunksize_;
            auto const count = std::min(chunksize_, elements_ - first);
            auto& part = parts_[chunk];
            part.reserve(count);
            reduction::load_results<R>(in, count,
                                       [&](R&& value) { part.push_back(std::move(value)); });
        }
    }
    stored_result_t<map_value_t<R>> take_value() override {
        if constexpr (std::is_void_v<R>) {
            return {};
        } else {
            std::vector<R> all;
            all.reserve(elements_);
            for (auto& part : parts_)
                for (auto&& value : part) all.push_back(std::move(value));
            parts_.clear();
            return all;
        }
    }

    std::uint64_t elements_, chunksize_;
    std::vector<std::vector<stored_result_t<R>>> parts_;
};

}  // namespace multiprocessing::pool

namespace multiprocessing {

/// The result of a call that is under way. Dropping it neither waits nor cancels.
/// Sharing: copies name the same result; any thread of this process may use them.
/// Python: `multiprocessing.pool.AsyncResult`.
template <class R>
class AsyncResult {
public:
    explicit AsyncResult(std::shared_ptr<pool::TypedCall<R>> call) : call_(std::move(call)) {}

    /// The result, or the exception of the task, thrown here with its own type where that is known.
    /// Blocks: until there is one or the time is over.
    /// Errors: TimeoutError, and get() may be called again; WorkerLostError when the worker died;
    /// RuntimeError when the pool was terminated; ValueError for the second get of a result that
    /// cannot be copied.
    /// Python: `AsyncResult.get(timeout=None)`.
    R get(Timeout timeout = {}) const { return call_->promise().get(timeout); }

    /// Blocks: until the result is there (true) or the time is over (false).
    /// Python: `AsyncResult.wait(timeout=None)`.
    bool wait(Timeout timeout = {}) const { return call_->promise().wait(timeout); }

    /// Python: `AsyncResult.ready()`.
    bool ready() const { return call_->promise().ready(); }

    /// Whether there is a result rather than an exception. Errors: ValueError before it is ready.
    /// Python: `AsyncResult.successful()`.
    bool successful() const { return call_->promise().successful(); }

private:
    std::shared_ptr<pool::TypedCall<R>> call_;
};

}  // namespace multiprocessing
