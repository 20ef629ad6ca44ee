// SPDX-License-Identifier: MIT
// multiprocessing/pool/feed.hpp — makes calls out of a range, chunk by chunk as they are wanted,
// and collects what they give.
// Layer 6 (pool). Mirrors _get_tasks and _guarded_task_generation of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/detail/wait_until.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/timeout.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// What became of one chunk.
template <class R>
struct StreamPart {
    std::vector<stored_result_t<R>> values;
    std::exception_ptr error;
};

/// Where chunks arrive from any thread, and one thread takes them: in their order, or as they come.
template <class R>
class Stream {
public:
    explicit Stream(bool ordered) : ordered_(ordered) {}

    void put(std::uint64_t index, StreamPart<R> part) {
        {
            std::lock_guard guard(mutex_);
            parts_.emplace(ordered_ ? index : arrived_, std::move(part));
            ++arrived_;
        }
        changed_.notify_one();
    }

    /// Nothing: the time is over.
    std::optional<StreamPart<R>> take(Deadline deadline) {
        std::unique_lock guard(mutex_);
        auto const is_there = [this] { return !parts_.empty() && parts_.begin()->first == next_; };
        if (!multiprocessing::detail::wait_until(changed_, guard, deadline, is_there))
            return std::nullopt;
        ++next_;
        return std::move(parts_.extract(parts_.begin()).mapped());
    }

private:
    bool ordered_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::uint64_t, StreamPart<R>> parts_;
    std::uint64_t arrived_ = 0, next_ = 0;
};

/// One chunk under way.
template <class R>
class StreamCall final : public ElementsCall<R> {
public:
    using typename ElementsCall<R>::Values;

    StreamCall(std::uint64_t elements, std::uint64_t index, std::shared_ptr<Stream<R>> stream)
        : ElementsCall<R>(elements, elements), index_(index), stream_(std::move(stream)) {}

    void store(std::uint64_t, Values&& values) override { values_ = std::move(values); }

private:
    void finish(std::exception_ptr error) override {
        stream_->put(index_, {std::move(values_), std::move(error)});
    }

    std::uint64_t index_;
    Values values_;
    std::shared_ptr<Stream<R>> stream_;
};

/// Whatever the range and the function are.
template <class R>
class Feed {
public:
    explicit Feed(bool ordered) : stream_(std::make_shared<Stream<R>>(ordered)) {}
    virtual ~Feed() = default;

    /// Posts the next chunk. False: there is none.
    /// Errors: what the range throws, after what came before it was posted; what posting throws,
    /// but for PicklingError, which is the chunk's.
    virtual bool post(std::uint64_t index) = 0;

    Stream<R>& stream() { return *stream_; }

    /// What has not begun never does.
    void cancel() {
        for (auto const& call : calls_)
            if (auto const alive = call.lock()) alive->cancel(false);
    }

protected:
    std::shared_ptr<StreamCall<R>> make_call(std::uint64_t elements, std::uint64_t index) {
        while (!calls_.empty() && calls_.front().expired()) calls_.pop_front();
        auto call = std::make_shared<StreamCall<R>>(elements, index, stream_);
        calls_.push_back(call);
        return call;
    }

private:
    std::shared_ptr<Stream<R>> stream_;
    std::deque<std::weak_ptr<Call>> calls_;
};

/// Backend: Processes or Threads. View: over the range, or owning it.
template <class R, class X, class Backend, class View>
class RangeFeed final : public Feed<R> {
public:
    RangeFeed(bool ordered, std::shared_ptr<Backend> backend, typename Backend::Function function,
              View view, std::uint64_t chunksize, Limits limits)
        : Feed<R>(ordered),
          backend_(std::move(backend)),
          function_(std::move(function)),
          view_(std::move(view)),
          chunksize_(chunksize),
          limits_(limits) {}

    bool post(std::uint64_t index) override {
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
        std::vector<X> elements;
        try {
            while (elements.size() < chunksize_ && step()) elements.push_back(**at_);
        } catch (...) {
            if (elements.empty()) throw;
            error_ = std::current_exception();
        }
        if (elements.empty()) return false;
        auto const call = this->make_call(elements.size(), index);
        try {
            backend_->template post_map<X, R>(call, function_,
                                              std::make_move_iterator(elements.begin()), limits_);
        } catch (PicklingError const&) {
            this->stream().put(index, {{}, std::current_exception()});
        }
        return true;
    }

private:
    /// To the next element: not before it is wanted, since that may take long or wait.
    bool step() {
        if (!at_) at_.emplace(std::ranges::begin(view_));
        else if (*at_ != std::ranges::end(view_)) ++*at_;
        return *at_ != std::ranges::end(view_);
    }

    std::shared_ptr<Backend> backend_;
    typename Backend::Function function_;
    View view_;
    std::uint64_t chunksize_;
    Limits limits_;
    std::optional<std::ranges::iterator_t<View>> at_;
    std::exception_ptr error_;
};

}  // namespace multiprocessing::pool
