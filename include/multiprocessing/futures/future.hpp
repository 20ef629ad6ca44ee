// SPDX-License-Identifier: MIT
// multiprocessing/futures/future.hpp — class Future.
// Layer 6 (pool). Mirrors Future of Lib/concurrent/futures/_base.py.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/futures/core.hpp>
#include <multiprocessing/reduction/exception.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::futures {

namespace detail {

template <class R>
class TypedCore final : public Core {
public:
    using Value = pool::stored_result_t<R>;

    bool set(std::optional<Value>&& value, std::exception_ptr error) {
        return finish(std::move(error), [&] { value_.emplace(std::move(*value)); });
    }
    R result(Timeout timeout) {
        std::unique_lock<std::mutex> guard;
        require_value(guard, timeout);
        if constexpr (!std::is_void_v<R>) {
            if constexpr (std::is_copy_constructible_v<R>) return *value_;
            else if (!std::exchange(taken_, true)) return std::move(*value_);
            else throw InvalidStateError("the result has been taken, and it cannot be copied");
        }
    }

private:
    std::optional<Value> value_;
    bool taken_ = false;
};

/// A call of a pool whose outcome is a future's.
template <class R>
class FutureCall final : public pool::ValueCall<R> {
public:
    explicit FutureCall(std::shared_ptr<TypedCore<R>> core) : core_(std::move(core)) {}

private:
    void finish(std::exception_ptr error) override {
        if (this->was_withdrawn() || !core_->set(std::move(this->value_), std::move(error)))
            core_->notify_cancelled();
    }

    std::shared_ptr<TypedCore<R>> core_;
};

inline std::string type_of(std::exception_ptr const& error) {
    try {
        std::rethrow_exception(error);
    } catch (std::exception const& e) {
        return reduction::detail::readable(typeid(e));
    } catch (...) {
        return "exception";
    }
}

}  // namespace detail

/// The outcome of a call that an executor runs, or that anybody promises to give.
/// Sharing: copies name the same future; any thread of this process may use them.
/// Python: `concurrent.futures.Future`.
/// Differs: result() moves a value that cannot be copied out, once.
template <class R>
class Future {
public:
    Future() : core_(std::make_shared<detail::TypedCore<R>>()) {}
    explicit Future(std::shared_ptr<detail::TypedCore<R>> core) : core_(std::move(core)) {}

    /// False if it runs or has finished; else it never runs. Never blocks.
    /// Python: `Future.cancel()`.
    bool cancel() const { return core_->cancel(); }
    /// Python: `Future.cancelled()`, `running()`, `done()`.
    [[nodiscard]] bool cancelled() const { return core_->cancelled(); }
    [[nodiscard]] bool running() const { return core_->running(); }
    [[nodiscard]] bool done() const { return core_->done(); }

    /// The value, or the exception, thrown.
    /// Blocks: until there is one or the time is over.
    /// Errors: TimeoutError, CancelledError, what the call has thrown.
    /// Python: `Future.result(timeout=None)`.
    R result(Timeout timeout = {}) const { return core_->result(timeout); }

    /// What the call has thrown; nothing if it has returned.
    /// Errors: TimeoutError, CancelledError.
    /// Python: `Future.exception(timeout=None)`.
    [[nodiscard]] std::exception_ptr exception(Timeout timeout = {}) const {
        return core_->exception(timeout);
    }

    /// Calls `callback(future)` in the thread that ends the future, or here if it has ended. What
    /// it throws is logged. Several are called in their order.
    /// Python: `Future.add_done_callback(fn)`.
    template <std::invocable<Future> F>
    void add_done_callback(F callback) const {
        core_->when_done([callback = std::move(callback), weak = std::weak_ptr(core_)]() mutable {
            if (auto core = weak.lock()) callback(Future(std::move(core)));
        });
    }

    // ---- for executors, and tests ------------------------------------------------------------

    /// False if it was cancelled: nobody may run it then. Errors: RuntimeError when it runs or has
    /// finished.
    /// Python: `Future.set_running_or_notify_cancel()`.
    bool set_running_or_notify_cancel() const { return core_->begin(); }

    /// Errors: InvalidStateError when it has ended.
    /// Python: `Future.set_result(result)`, `set_exception(exception)`.
    template <class... V>
        requires(sizeof...(V) == (std::is_void_v<R> ? 0 : 1))
    void set_result(V&&... value) const {
        typename detail::TypedCore<R>::Value made(std::forward<V>(value)...);
        require(core_->set(std::move(made), nullptr));
    }
    void set_exception(std::exception_ptr error) const {
        require(core_->set(std::nullopt, std::move(error)));
    }
    template <std::derived_from<std::exception> E>
    void set_exception(E const& error) const {
        set_exception(std::make_exception_ptr(error));
    }

    /// Python: `repr(future)`.
    [[nodiscard]] std::string repr() const {
        auto const start = fmt::format("<Future at {}", fmt::ptr(core_.get()));
        switch (core_->state()) {
        case State::pending: return start + (running() ? " state=running>" : " state=pending>");
        case State::running: return start + " state=running>";
        case State::cancelled:
        case State::cancelled_and_notified: return start + " state=cancelled>";
        case State::finished: break;
        }
        if (auto const error = exception())
            return start + fmt::format(" state=finished raised {}>", detail::type_of(error));
        return start + fmt::format(" state=finished returned {}>",
                                   multiprocessing::detail::type_name<R>());
    }

    /// Whether both name the same future.
    bool operator==(Future const&) const = default;

    /// What all futures have in common, for wait() and as_completed().
    std::shared_ptr<detail::TypedCore<R>> const& core() const { return core_; }

private:
    void require(bool was_open) const {
        if (!was_open) throw InvalidStateError("the future has ended already: " + repr());
    }

    std::shared_ptr<detail::TypedCore<R>> core_;
};

}  // namespace multiprocessing::futures

template <class R>
struct fmt::formatter<multiprocessing::futures::Future<R>>
    : multiprocessing::detail::ReprFormatter {};
