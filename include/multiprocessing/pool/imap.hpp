// SPDX-License-Identifier: MIT
// multiprocessing/pool/imap.hpp — results one by one, while the rest is still under way.
// Layer 6 (pool). Mirrors IMapIterator of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/feed.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace multiprocessing::pool {

/// The results of imap and imap_unordered: an input range, or next() by next(). What the input or
/// a task throws is thrown where its result would have been, and next() may go on after it: with
/// the following chunk, or with the end after an exception of the input.
///
/// The input is read by the thread that takes the results, as it takes them. Dropping the iterator
/// drops what has not begun.
/// Sharing: one thread at a time; it may outlive its pool.
/// Python: what `Pool.imap` returns.
template <class R>
class IMapIterator {
public:
    using Value = stored_result_t<R>;

    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    /// At most `window` chunks are under way or not taken; all is to be taken before `deadline`.
    IMapIterator(std::unique_ptr<Feed<R>> feed, std::uint64_t window, Deadline deadline = {})
        : feed_(std::move(feed)), window_(window), deadline_(deadline) {
        top_up();
    }
    IMapIterator(IMapIterator&&) noexcept = default;
    IMapIterator& operator=(IMapIterator&& other) noexcept {
        if (this != &other) {
            close();
            std::destroy_at(this);
            std::construct_at(this, std::move(other));
        }
        return *this;
    }
    ~IMapIterator() { close(); }

    /// The next result.
    /// Blocks: until it is there or the time is over.
    /// Errors: TimeoutError, and next() may be called again; StopIteration after the last one; what
    /// a task or the input has thrown.
    /// Python: `IMapIterator.next(timeout=None)`.
    R next(Timeout timeout = {}) {
        auto value = take(std::min(Deadline(timeout), deadline_));
        if (!value) throw StopIteration("there are no more results");
        if constexpr (!std::is_void_v<R>) return std::move(*value);
    }

    /// Nothing more is taken; what has not begun never does.
    /// Python: `close()` of a generator.
    void close() {
        if (!feed_) return;
        feed_->cancel();
        feed_.reset();
        current_.clear();
        input_error_ = nullptr;
        taken_ = posted_;
    }

    // ---- as an input range -------------------------------------------------------------------

    class Iterator {
    public:
        using value_type = Value;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(IMapIterator& results) : results_(&results) {}
        Value& operator*() const { return *results_->front_; }
        Iterator& operator++() {
            results_->advance();
            return *this;
        }
        void operator++(int) { results_->advance(); }
        bool operator==(std::default_sentinel_t) const { return !results_->front_; }

    private:
        IMapIterator* results_;
    };

    /// Takes the first of the remaining results.
    Iterator begin() {
        advance();
        return Iterator(*this);
    }
    std::default_sentinel_t end() const { return {}; }

private:
    void advance() {
        front_.reset();
        front_ = take(deadline_);
    }

    /// Nothing at the end.
    std::optional<Value> take(Deadline deadline) {
        while (current_.empty()) {
            top_up();
            if (taken_ == posted_) {
                if (auto const error = std::exchange(input_error_, nullptr))
                    std::rethrow_exception(error);
                return std::nullopt;
            }
            auto part = feed_->stream().take(deadline);
            if (!part) throw TimeoutError("the next result was not ready in time");
            ++taken_;
            if (part->error) {
                top_up();
                std::rethrow_exception(part->error);
            }
            for (auto&& value : part->values) current_.push_back(std::move(value));
        }
        std::optional<Value> value(std::move(current_.front()));
        current_.pop_front();
        if (current_.empty()) top_up();
        return value;
    }

    void top_up() {
        try {
            while (feed_ && !input_ended_ && posted_ - taken_ < window_) {
                if (feed_->post(posted_)) ++posted_;
                else input_ended_ = true;
            }
        } catch (...) {
            input_ended_ = true;
            input_error_ = std::current_exception();
        }
    }

    std::unique_ptr<Feed<R>> feed_;
    std::uint64_t window_;
    Deadline deadline_;
    std::uint64_t posted_ = 0, taken_ = 0;  // chunks
    bool input_ended_ = false;
    std::exception_ptr input_error_;
    std::deque<Value> current_;
    std::optional<Value> front_;
};

}  // namespace multiprocessing::pool
