// SPDX-License-Identifier: MIT
// multiprocessing/pool/async_result.hpp — a result that will be there.
// Layer 6 (pool). Mirrors ApplyResult and MapResult of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/pool/progress.hpp>
#include <multiprocessing/pool/promise.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

/// How far AsyncResult::cancel goes.
struct CancelOptions {
    bool running = false;  // also what has begun: it costs the workers that are at it
};

namespace pool {

/// Called when a result is there, and when there is an error instead. In the pool's own thread: a
/// slow one holds up all results; one that throws is logged.
template <class R>
struct Callbacks {
    using Success = std::conditional_t<std::is_void_v<R>, std::function<void()>,
                                       std::function<void(stored_result_t<R> const&)>>;
    Success callback;
    std::function<void(std::exception_ptr)> error_callback;
};

/// Where the outcome of a call goes: to the callbacks, then to those who wait.
template <class R>
class Delivery {
public:
    Delivery(Call& call, Callbacks<R> callbacks) : call_(call), callbacks_(std::move(callbacks)) {}

    Call& call() { return call_; }
    Promise<R>& promise() { return promise_; }

    /// What a callback throws comes out, after everybody else has the result.
    void deliver(std::optional<stored_result_t<R>> value, std::exception_ptr error) {
        std::exception_ptr thrown;
        try {
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
    Call& call_;
    Promise<R> promise_;
    Callbacks<R> callbacks_;
};

template <class R>
class ApplyCall final : public ValueCall<R> {
public:
    explicit ApplyCall(Callbacks<R> callbacks) : delivery_(*this, std::move(callbacks)) {}

    Delivery<R>& delivery() { return delivery_; }

private:
    void finish(std::exception_ptr error) override {
        delivery_.deliver(std::move(this->value_), std::move(error));
    }

    Delivery<R> delivery_;
};

/// R is what one element gives; the result is a vector in input order, or nothing.
template <class R>
using map_value_t = std::conditional_t<std::is_void_v<R>, void, std::vector<stored_result_t<R>>>;

template <class R>
class MapCall final : public ElementsCall<R> {
public:
    using typename ElementsCall<R>::Values;

    MapCall(std::uint64_t elements, std::uint64_t chunksize, Callbacks<map_value_t<R>> callbacks,
            Progress progress)
        : ElementsCall<R>(elements, chunksize),
          delivery_(*this, std::move(callbacks)),
          progress_(std::move(progress)),
          parts_(std::is_void_v<R> ? 0 : this->chunks()) {}

    Delivery<map_value_t<R>>& delivery() { return delivery_; }

    void store(std::uint64_t chunk, Values&& values) override {
        if constexpr (!std::is_void_v<R>) parts_[chunk] = std::move(values);
    }

private:
    void progressed() override {
        if (!progress_) return;
        auto const settled = this->chunks() - this->unsettled();
        try {
            progress_(settled < this->chunks() ? this->first(settled) : this->elements(),
                      this->elements());
        } catch (std::exception const& error) {
            util::log(logging::error, "a pool's progress callback has thrown: {}", error.what());
        }
    }
    void finish(std::exception_ptr error) override {
        if constexpr (std::is_void_v<R>) {
            delivery_.deliver(std::monostate{}, std::move(error));
        } else {
            std::optional<std::vector<R>> all;
            if (!error) {
                all.emplace().reserve(this->elements());
                for (auto& part : std::exchange(parts_, {}))
                    for (auto&& value : part) all->push_back(std::move(value));
            }
            delivery_.deliver(std::move(all), std::move(error));
        }
    }

    Delivery<map_value_t<R>> delivery_;
    Progress progress_;
    std::vector<Values> parts_;
};

}  // namespace pool

/// The result of a call that is under way. Dropping it neither waits nor cancels.
/// Sharing: copies name the same result; any thread of this process may use them.
/// Python: `multiprocessing.pool.AsyncResult`.
template <class R>
class AsyncResult {
public:
    template <class C>
    explicit AsyncResult(std::shared_ptr<C> const& call)
        : delivery_(call, &call->delivery()) {}

    /// The result, or the exception of the task, thrown here with its own type where that is known.
    /// Blocks: until there is one or the time is over.
    /// Errors: TimeoutError, and get() may be called again; WorkerLostError when the worker died;
    /// CancelledError; RuntimeError when the pool was terminated; ValueError for the second get of
    /// a result that cannot be copied.
    /// Python: `AsyncResult.get(timeout=None)`.
    R get(Timeout timeout = {}) const { return delivery_->promise().get(timeout); }

    /// Blocks: until the result is there (true) or the time is over (false).
    /// Python: `AsyncResult.wait(timeout=None)`.
    bool wait(Timeout timeout = {}) const { return delivery_->promise().wait(timeout); }

    /// Python: `AsyncResult.ready()`.
    [[nodiscard]] bool ready() const { return delivery_->promise().ready(); }

    /// Whether there is a result rather than an exception. Errors: ValueError before it is ready.
    /// Python: `AsyncResult.successful()`.
    [[nodiscard]] bool successful() const {
        if (!ready()) throw ValueError(fmt::format("{} not ready", repr()));
        return delivery_->promise().successful();
    }

    /// What has not begun never runs, and get() throws CancelledError, for a map when those of its
    /// chunks that have begun have ended. `running`: these are stopped too, by killing their
    /// workers, which are replaced; threads cannot be stopped.
    /// False: there was nothing left to cancel. Never blocks.
    /// Python: none for a Pool; `concurrent.futures.Future.cancel()`.
    bool cancel(CancelOptions options = {}) const {
        return delivery_->call().cancel(options.running);
    }

    /// `co_await result` gives what get() gives. The coroutine goes on in the pool's own thread,
    /// as a callback does, so it must not block there.
    /// Python: none.
    [[nodiscard]] auto operator co_await() const {
        struct Awaiter {
            std::shared_ptr<pool::Delivery<R>> delivery;

            bool await_ready() const { return delivery->promise().ready(); }
            bool await_suspend(std::coroutine_handle<> waiting) const {
                return delivery->promise().when_ready([waiting] { waiting.resume(); });
            }
            R await_resume() const { return delivery->promise().get({}); }
        };
        return Awaiter{delivery_};
    }

    /// Python: `repr(result)`.
    [[nodiscard]] std::string repr() const {
        return fmt::format("<multiprocessing.pool.AsyncResult object at {}>",
                           fmt::ptr(delivery_.get()));
    }

private:
    std::shared_ptr<pool::Delivery<R>> delivery_;
};

template <class R>
AsyncResult(std::shared_ptr<pool::ApplyCall<R>> const&) -> AsyncResult<R>;
template <class R>
AsyncResult(std::shared_ptr<pool::MapCall<R>> const&) -> AsyncResult<pool::map_value_t<R>>;

}  // namespace multiprocessing

template <class R>
struct fmt::formatter<multiprocessing::AsyncResult<R>> : multiprocessing::detail::ReprFormatter {};
