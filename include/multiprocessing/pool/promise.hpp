// SPDX-License-Identifier: MIT
// multiprocessing/pool/promise.hpp — a value or an exception, for threads that wait for it.
// Layer 6 (pool). Mirrors the event in ApplyResult of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/detail/wait_until.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/timeout.hpp>

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

template <class R>
class Promise {
public:
    using Value = stored_result_t<R>;

    void set(std::optional<Value> value, std::exception_ptr error) {
        std::vector<std::function<void()>> waiting;
        {
            std::lock_guard guard(mutex_);
            if (value) value_.emplace(std::move(*value));
            error_ = std::move(error);
            ready_ = true;
            waiting.swap(waiting_);
        }
        changed_.notify_all();
        for (auto const& go_on : waiting) go_on();
    }

    bool wait(Timeout timeout) {
        Deadline const deadline(timeout);
        std::unique_lock guard(mutex_);
        return multiprocessing::detail::wait_until(changed_, guard, deadline,
                                                   [this] { return ready_; });
    }

    /// False: it is ready, and the function will not be called.
    bool when_ready(std::function<void()> go_on) {
        std::lock_guard guard(mutex_);
        if (ready_) return false;
        waiting_.push_back(std::move(go_on));
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
            else if (!std::exchange(taken_, true)) return std::move(*value_);
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
    bool taken_ = false;
    std::exception_ptr error_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace multiprocessing::pool
