// SPDX-License-Identifier: MIT
// multiprocessing/dummy/queue.hpp — a queue between threads, of whatever can be moved.
// Layer 5 (process). Mirrors queue.Queue, which Lib/multiprocessing/dummy/__init__.py takes.
#pragma once

#include <multiprocessing/detail/wait_until.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/timeout.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace multiprocessing::dummy {

/// First in, first out. Nothing is pickled.
/// Sharing: copies name the same queue; any thread of this process.
/// Python: `queue.Queue`.
template <class T>
class Queue {
public:
    using value_type = T;

    /// At most `maxsize` items; 0 or less: no bound.
    explicit Queue(long maxsize = 0) : state_(std::make_shared<State>()) {
        state_->maxsize = maxsize > 0 ? static_cast<std::size_t>(maxsize) : 0;
    }

    /// Blocks: while it is full, unless `block` is false. Errors: Full.
    /// Python: `Queue.put(item, block=True, timeout=None)`, `put_nowait(item)`.
    void put(T item, bool block = true, Timeout timeout = {}) const {
        std::unique_lock guard(state_->mutex);
        if (!wait(guard, deadline(block, timeout), [this] { return !is_full(); }))
            throw Full();
        state_->items.push_back(std::move(item));
        ++state_->unfinished;
        state_->changed.notify_all();
    }
    void put_nowait(T item) const { put(std::move(item), false); }

    /// Blocks: until there is an item, unless `block` is false. Errors: Empty.
    /// Python: `Queue.get(block=True, timeout=None)`, `get_nowait()`.
    T get(bool block = true, Timeout timeout = {}) const {
        std::unique_lock guard(state_->mutex);
        if (!wait(guard, deadline(block, timeout),
                          [this] { return !state_->items.empty(); }))
            throw Empty();
        T item = std::move(state_->items.front());
        state_->items.pop_front();
        state_->changed.notify_all();
        return item;
    }
    T get_nowait() const { return get(false); }

    /// Waits, but takes nothing. False: the time is over.
    bool wait(Timeout timeout = {}) const {
        std::unique_lock guard(state_->mutex);
        return wait(guard, Deadline(timeout), [this] { return !state_->items.empty(); });
    }

    /// Python: `Queue.qsize()`, `empty()`, `full()`.
    [[nodiscard]] std::size_t qsize() const {
        std::lock_guard guard(state_->mutex);
        return state_->items.size();
    }
    [[nodiscard]] bool empty() const { return qsize() == 0; }
    [[nodiscard]] bool full() const {
        std::lock_guard guard(state_->mutex);
        return is_full();
    }

    /// One of the items that were got is dealt with. Errors: ValueError when there is none.
    /// Python: `Queue.task_done()`.
    void task_done() const {
        std::lock_guard guard(state_->mutex);
        if (state_->unfinished == 0) throw ValueError("task_done() called too many times");
        if (--state_->unfinished == 0) state_->changed.notify_all();
    }
    /// Blocks: until all items that were put are dealt with.
    /// Python: `Queue.join()`.
    void join() const {
        std::unique_lock guard(state_->mutex);
        wait(guard, Deadline(), [this] { return state_->unfinished == 0; });
    }

    bool operator==(Queue const&) const = default;

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<T> items;
        std::size_t maxsize = 0;
        std::size_t unfinished = 0;
    };

    static Deadline deadline(bool block, Timeout timeout) {
        return Deadline(block ? timeout : Timeout::from_ns(0));
    }
    template <class Holds>
    bool wait(std::unique_lock<std::mutex>& guard, Deadline until, Holds holds) const {
        return detail::wait_until(state_->changed, guard, until, holds);
    }
    bool is_full() const {
        return state_->maxsize != 0 && state_->items.size() >= state_->maxsize;
    }

    std::shared_ptr<State> state_;
};

/// Python: `multiprocessing.dummy.JoinableQueue`, which is the same class.
template <class T>
using JoinableQueue = Queue<T>;

}  // namespace multiprocessing::dummy
