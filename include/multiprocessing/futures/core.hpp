// SPDX-License-Identifier: MIT
// multiprocessing/futures/core.hpp — the state of a future, whatever its value.
// Layer 6 (pool). Mirrors the private half of Future in Lib/concurrent/futures/_base.py.
#pragma once

#include <multiprocessing/detail/wait_until.hpp>
#include <multiprocessing/futures/errors.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/util/log.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace multiprocessing::futures {

/// Python: the states of `concurrent.futures.Future`.
enum class State : std::uint8_t { pending, running, cancelled, cancelled_and_notified, finished };

namespace detail {

class Core;

/// One who waits for several futures: those that have ended, in that order.
struct Waiter {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Core*> ended;

    void add(Core* core) {
        {
            std::lock_guard guard(mutex);
            ended.push_back(core);
        }
        changed.notify_one();
    }
};

/// Sharing: any thread.
class Core {
public:
    Core() = default;
    Core(Core const&) = delete;
    Core& operator=(Core const&) = delete;
    virtual ~Core() = default;

    State state() const {
        std::lock_guard guard(mutex_);
        return state_;
    }
    bool running() const {
        std::shared_ptr<pool::Call> call;
        {
            std::lock_guard guard(mutex_);
            if (state_ != State::pending) return state_ == State::running;
            call = call_.lock();
        }
        return call && call->is_running();
    }
    bool cancelled() const {
        std::lock_guard guard(mutex_);
        return is_cancelled();
    }
    bool done() const {
        std::lock_guard guard(mutex_);
        return is_done();
    }

    /// The call whose outcome this will be.
    void bind(std::weak_ptr<pool::Call> call) { call_ = std::move(call); }

    bool cancel() {
        std::shared_ptr<pool::Call> call;
        {
            std::lock_guard guard(mutex_);
            if (is_cancelled()) return true;
            if (state_ != State::pending) return false;
            call = call_.lock();
        }
        if (call && !call->cancel(false)) return false;  // it has begun
        end([this] {
            if (state_ == State::pending) state_ = State::cancelled;
        });
        return cancelled();
    }

    /// Blocks: until it has ended (true) or the time is over. `guard` holds the mutex afterwards.
    bool wait(std::unique_lock<std::mutex>& guard, Timeout timeout) {
        Deadline const deadline(timeout);
        guard = std::unique_lock(mutex_);
        return multiprocessing::detail::wait_until(changed_, guard, deadline,
                                                   [this] { return is_done(); });
    }
    std::exception_ptr exception(Timeout timeout) {
        std::unique_lock<std::mutex> guard;
        require_end(guard, timeout);
        return error_;
    }

    /// Python: `Future.set_running_or_notify_cancel()`.
    bool begin() {
        std::unique_lock guard(mutex_);
        if (state_ == State::pending) {
            state_ = State::running;
            return true;
        }
        if (state_ != State::cancelled)
            throw RuntimeError("the future is in a state in which it cannot begin");
        state_ = State::cancelled_and_notified;
        tell_waiters();
        return false;
    }

    /// Stores by `store()`, unless it has ended. False if it has.
    template <class Store>
    bool finish(std::exception_ptr error, Store store) {
        bool was_open = false;
        end([&] {
            was_open = state_ == State::pending || state_ == State::running;
            if (!was_open) return;
            if (!error) store();
            error_ = std::move(error);
            state_ = State::finished;
        });
        return was_open;
    }

    /// The pool has dropped the call.
    void notify_cancelled() {
        end([this] {
            if (state_ != State::finished) state_ = State::cancelled_and_notified;
        });
        std::lock_guard guard(mutex_);
        tell_waiters();
    }

    /// Calls it when the future has ended: now, or in the thread that ends it.
    void when_done(std::function<void()> callback) {
        {
            std::lock_guard guard(mutex_);
            if (!is_done()) return callbacks_.push_back(std::move(callback));
        }
        call(callback);
    }

    /// Adds one who waits. False: the future has ended, as waiters see it.
    bool add_waiter(std::shared_ptr<Waiter> waiter) {
        std::lock_guard guard(mutex_);
        if (is_over()) return false;
        waiters_.push_back(std::move(waiter));
        return true;
    }
    void remove_waiter(std::shared_ptr<Waiter> const& waiter) {
        std::lock_guard guard(mutex_);
        std::erase(waiters_, waiter);
    }
    /// Merely cancelled is not over yet.
    bool over() const {
        std::lock_guard guard(mutex_);
        return is_over();
    }
    bool failed() const {
        std::lock_guard guard(mutex_);
        return state_ == State::finished && error_ != nullptr;
    }

protected:
    /// Throws unless there is a value.
    void require_value(std::unique_lock<std::mutex>& guard, Timeout timeout) {
        require_end(guard, timeout);
        if (error_) std::rethrow_exception(error_);
    }

private:
    bool is_cancelled() const {
        return state_ == State::cancelled || state_ == State::cancelled_and_notified;
    }
    bool is_done() const { return is_cancelled() || state_ == State::finished; }
    bool is_over() const {
        return state_ == State::finished || state_ == State::cancelled_and_notified;
    }

    void require_end(std::unique_lock<std::mutex>& guard, Timeout timeout) {
        if (!wait(guard, timeout)) throw TimeoutError("the future has not ended in time");
        if (is_cancelled()) throw CancelledError("the future was cancelled");
    }

    /// Changes the state; tells everybody if that was the end.
    template <class Change>
    void end(Change change) {
        std::vector<std::function<void()>> callbacks;
        {
            std::lock_guard guard(mutex_);
            bool const was_done = is_done();
            change();
            if (was_done || !is_done()) return;
            callbacks.swap(callbacks_);
            if (is_over()) tell_waiters();
            changed_.notify_all();
        }
        for (auto const& callback : callbacks) call(callback);
    }
    void tell_waiters() {
        for (auto const& waiter : std::exchange(waiters_, {})) waiter->add(this);
    }
    static void call(std::function<void()> const& callback) {
        try {
            callback();
        } catch (std::exception const& error) {
            util::log(logging::error, "a callback of a future has thrown: {}", error.what());
        } catch (...) {
            util::log(logging::error, "a callback of a future has thrown");
        }
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    State state_ = State::pending;
    std::exception_ptr error_;
    std::weak_ptr<pool::Call> call_;
    std::vector<std::function<void()>> callbacks_;
    std::vector<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace detail
}  // namespace multiprocessing::futures
