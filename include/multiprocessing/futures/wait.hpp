// SPDX-License-Identifier: MIT
// multiprocessing/futures/wait.hpp — waiting for several futures.
// Layer 6 (pool). Mirrors wait and as_completed of Lib/concurrent/futures/_base.py.
#pragma once

#include <multiprocessing/detail/wait_until.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/futures/future.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing::futures {

/// Python: `FIRST_COMPLETED`, `FIRST_EXCEPTION`, `ALL_COMPLETED`.
enum class ReturnWhen { first_completed, first_exception, all_completed };
inline constexpr auto FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr auto FIRST_EXCEPTION = ReturnWhen::first_exception;
inline constexpr auto ALL_COMPLETED = ReturnWhen::all_completed;

struct WaitOptions {
    Timeout timeout = {};
    ReturnWhen return_when = ALL_COMPLETED;
};

/// Each future once, in the order in which they were given.
template <class R>
struct DoneAndNotDone {
    std::vector<Future<R>> done;
    std::vector<Future<R>> not_done;
};

namespace detail {

template <class Fs>
auto each_once(Fs&& futures) {
    std::vector<std::ranges::range_value_t<Fs>> once;
    for (auto const& future : futures)
        if (std::find(once.begin(), once.end(), future) == once.end()) once.push_back(future);
    return once;
}

/// Waits at several futures; leaves them when it is destroyed.
template <class R>
class Waiting {
public:
    explicit Waiting(std::vector<Future<R>> futures) : futures_(std::move(futures)) {
        for (auto const& future : futures_)
            if (!future.core()->add_waiter(waiter_)) waiter_->add(future.core().get());
    }
    Waiting(Waiting const&) = delete;
    Waiting& operator=(Waiting const&) = delete;
    ~Waiting() {
        for (auto const& future : futures_) future.core()->remove_waiter(waiter_);
    }

    std::size_t size() const { return futures_.size(); }
    std::vector<Future<R>> const& futures() const { return futures_; }

    /// The next one that has ended, and it is forgotten here. Nothing: the time is over.
    std::optional<Future<R>> take(Deadline deadline) {
        std::unique_lock guard(waiter_->mutex);
        if (!multiprocessing::detail::wait_until(waiter_->changed, guard, deadline,
                              [this] { return !waiter_->ended.empty(); }))
            return std::nullopt;
        auto const at = std::find_if(futures_.begin(), futures_.end(), [this](auto const& future) {
            return future.core().get() == waiter_->ended.front();
        });
        waiter_->ended.pop_front();
        Future<R> future = std::move(*at);
        futures_.erase(at);
        return future;
    }

private:
    std::vector<Future<R>> futures_;
    std::shared_ptr<Waiter> waiter_ = std::make_shared<Waiter>();
};

}  // namespace detail

/// Waits for futures of one type. One that was cancelled counts as done when its executor knows it.
/// Blocks: until all have ended, or one, or one with an exception; or the time is over.
/// Python: `concurrent.futures.wait(fs, timeout=None, return_when=ALL_COMPLETED)`.
template <std::ranges::input_range Fs, class F = std::ranges::range_value_t<Fs>>
auto wait(Fs&& futures, WaitOptions options = {}) {
    Deadline const deadline(options.timeout);
    auto const all = detail::each_once(std::forward<Fs>(futures));
    {
        detail::Waiting waiting(all);
        auto const is_enough = [&](F const& future) {
            return options.return_when == FIRST_COMPLETED ||
                   (options.return_when == FIRST_EXCEPTION && future.core()->failed());
        };
        while (waiting.size() > 0) {
            auto const ended = waiting.take(deadline);
            if (!ended || is_enough(*ended)) break;
        }
    }
    decltype([]<class R>(Future<R> const&) { return DoneAndNotDone<R>(); }(all[0])) result;
    for (auto const& future : all)
        (future.core()->over() ? result.done : result.not_done).push_back(future);
    return result;
}

/// The futures as they end, those that have ended first, each once: an input range.
/// Errors: ++ and begin() throw TimeoutError when the time, counted from the call, is over.
/// Python: `concurrent.futures.as_completed(fs, timeout=None)`.
template <class R>
class AsCompleted {
public:
    AsCompleted(std::vector<Future<R>> futures, Timeout timeout)
        : total_(futures.size()),
          waiting_(std::make_unique<detail::Waiting<R>>(std::move(futures))),
          deadline_(timeout) {}

    class Iterator {
    public:
        using value_type = Future<R>;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(AsCompleted& from) : from_(&from) {}
        Future<R>& operator*() const { return *from_->current_; }
        Iterator& operator++() {
            from_->advance();
            return *this;
        }
        void operator++(int) { from_->advance(); }
        bool operator==(std::default_sentinel_t) const { return !from_->current_; }

    private:
        AsCompleted* from_;
    };

    Iterator begin() {
        advance();
        return Iterator(*this);
    }
    std::default_sentinel_t end() const { return {}; }

private:
    void advance() {
        current_.reset();  // nothing keeps a future that was given out
        if (waiting_->size() == 0) return;
        current_ = waiting_->take(deadline_);
        if (!current_)
            throw TimeoutError(
                fmt::format("{} (of {}) futures unfinished", waiting_->size(), total_));
    }

    std::size_t total_;
    std::unique_ptr<detail::Waiting<R>> waiting_;
    Deadline deadline_;
    std::optional<Future<R>> current_;
};

template <std::ranges::input_range Fs>
auto as_completed(Fs&& futures, Timeout timeout = {}) {
    return AsCompleted(detail::each_once(std::forward<Fs>(futures)), timeout);
}

}  // namespace multiprocessing::futures
