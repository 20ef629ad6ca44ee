// SPDX-License-Identifier: MIT
// multiprocessing/queues/queue.hpp — a queue that all processes of the tree share.
// Layer 4 (channels). Mirrors Queue in Lib/multiprocessing/queues.py.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/fwd.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/object.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/queues/tasks.hpp>
#include <multiprocessing/reduction/item.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

/// A first-in-first-out queue of T. Copies name the same queue; a queue may travel to any process
/// of the tree, in arguments, results and other queues.
///
/// Shape: small items lie in the queue itself, larger ones in messages of the shared heap; what
///     they refer to goes with them. Memory grows with the items and is given back.
/// Sharing: any number of processes and threads at once, each thread with its own or the same
///     handle. A process may be killed at any instruction: an item whose put() returned is got
///     once, unless the process that was getting it dies with it.
/// Python: `multiprocessing.Queue`.
/// Differs: put() pickles before it returns and throws what goes wrong there; there is no feeder
///     thread, so a process may be joined before the queue is drained, and nothing is lost at exit.
///     A process that is stopped, not killed, in the middle of a put holds up later items.
template <class T>
class Queue {
public:
    using value_type = T;

    /// A queue that holds at most `maxsize` items; 0 or less: no bound.
    /// Errors: MemoryError.
    /// Python: `multiprocessing.Queue(maxsize=0)`.
    explicit Queue(long maxsize = 0)
        : Queue(detail::QueueRing(new_ring(maxsize, false))) {}

    /// Puts a copy of an item.
    /// Blocks: while the queue is full, unless `block` is false.
    /// Errors: Full when there was no room in time; ValueError after close(); what pickling throws,
    ///     and then nothing was put.
    /// Python: `Queue.put(obj, block=True, timeout=None)`.
    void put(T const& item, bool block = true, Timeout timeout = {}) {
        put_before(item, deadline(block, timeout));
    }
    /// Python: `Queue.put_nowait(obj)`.
    void put_nowait(T const& item) { put(item, false); }

    /// Takes the first item out.
    /// Blocks: until there is one, unless `block` is false.
    /// Errors: Empty when there was none in time; ValueError after close(); UnpicklingError.
    /// Python: `Queue.get(block=True, timeout=None)`.
    T get(bool block = true, Timeout timeout = {}) { return get_before(deadline(block, timeout)); }
    /// Python: `Queue.get_nowait()`.
    T get_nowait() { return get(false); }

    /// As get(), of a vector of trivially copyable elements, a std::string or Bytes: a view of what
    /// lies in shared memory, which spares the copy of a large one.
    /// Python: none.
    auto get_view(bool block = true, Timeout timeout = {})
        requires detail::InPlace<T>::value
    {
        require_open();
        detail::TakenItem item;
        if (!local_->get(item, deadline(block, timeout))) throw Empty();
        return item.template view<T>();
    }

    /// Puts the items of a range, one after the other; other producers' items may lie between.
    /// Errors: as put(); `timeout` is for all together, and those before the failure were put.
    /// Python: none.
    template <std::ranges::input_range Range>
    void put_many(Range&& items, Timeout timeout = {});

    /// Waits for one item, then takes what else is there, up to `most` in all.
    /// Errors: as get().
    /// Python: none.
    std::vector<T> get_many(std::size_t most, Timeout timeout = {});

    /// How many items there are. Out of date as soon as it is known.
    /// Python: `Queue.qsize()`.
    [[nodiscard]] std::size_t qsize() const { return local_->ring.size(); }

    /// Errors: OSError on a closed queue that this handle or a copy of it put into.
    /// Python: `Queue.empty()`.
    [[nodiscard]] bool empty() const {
        if (local_->closed.load(std::memory_order_relaxed) &&
            local_->used.load(std::memory_order_relaxed))
            throw OSError(std::make_error_code(std::errc::bad_file_descriptor), "handle is closed");
        return local_->ring.empty();
    }

    /// Python: `Queue.full()`.
    [[nodiscard]] bool full() const { return local_->ring.full(); }

    /// This handle and its copies in this process are used no more; other processes' are not
    /// concerned. What was put stays for them. May be called twice.
    /// Python: `Queue.close()`.
    void close() { local_->closed.store(true, std::memory_order_relaxed); }

    /// Returns at once: whatever was put is in the queue already.
    /// Errors: AssertionError before close().
    /// Python: `Queue.join_thread()`.
    void join_thread() {
        if (!local_->closed.load(std::memory_order_relaxed))
            throw AssertionError(fmt::format("Queue {} not closed", repr()));
    }
    /// Does nothing, since there is no thread to wait for.
    /// Python: `Queue.cancel_join_thread()`.
    void cancel_join_thread() {}

    /// Python's `repr`, which is its `str` too. The address is the same in all processes.
    [[nodiscard]] std::string repr() const {
        return fmt::format("<multiprocessing.queues.{} object at {:#x}>",
                           local_->tasks ? "JoinableQueue" : "Queue",
                           local_->ring.shared().ref().offset());
    }

    /// Whether both name the same queue.
    friend bool operator==(Queue const& a, Queue const& b) {
        return a.local_ == b.local_ || a.local_->ring == b.local_->ring;
    }

protected:
    /// What the copies of a handle in one process have in common.
    struct Local : detail::QueueRing {
        explicit Local(QueueRing && from) : QueueRing(std::move(from)) {}
        std::atomic<bool> closed{false};
        std::atomic<bool> used{false};
    };

    explicit Queue(detail::QueueRing ring) : local_(std::make_shared<Local>(std::move(ring))) {}

    static heap::Ring new_ring(long maxsize, bool redeliver) {
        return heap::Ring::make({.maxsize = maxsize > 0 ? static_cast<std::uint64_t>(maxsize) : 0,
                                 .type = type_hash(),
                                 .redeliver = redeliver});
    }
    static constexpr std::uint64_t type_hash() {
        return detail::fnv1a(schema_hash<T>, detail::fnv1a("Queue"));
    }

    std::shared_ptr<Local> local_;

private:
    friend struct pickle<Queue>;

    static Deadline deadline(bool block, Timeout timeout) {
        return Deadline(block ? timeout : Timeout::from_ns(0));
    }

    static constexpr std::size_t batch = 32;  // so many are claimed at once

    void require_open() const {
        if (local_->closed.load(std::memory_order_relaxed)) [[unlikely]]
            throw ValueError(fmt::format("Queue {} is closed", repr()));
    }

    void put_before(T const& item, Deadline deadline);
    T get_before(Deadline deadline);
};

template <class T>
void Queue<T>::put_before(T const& item, Deadline deadline) {
    require_open();
    auto const put = [&](auto&&... parts) {
        return local_->ring.put(std::forward<decltype(parts)>(parts)..., deadline);
    };
    if (!detail::put_item(item, put)) throw Full();
    if (!local_->used.load(std::memory_order_relaxed))
        local_->used.store(true, std::memory_order_relaxed);
}

template <class T>
T Queue<T>::get_before(Deadline deadline) {
    require_open();
    return detail::get_item<T>([&](auto&& visit) { return local_->get(visit, deadline); },
                               [] { throw Empty(); });
}

template <class T>
template <std::ranges::input_range Range>
void Queue<T>::put_many(Range&& items, Timeout timeout) {
    Deadline const deadline(timeout);
    if constexpr (!detail::lies_inline<T>) {
        for (auto&& item : items) put_before(static_cast<T const&>(item), deadline);
    } else {
        // What the range does may throw or take long, and must not while a slot is held.
        std::array<std::array<std::byte, sizeof(T)>, batch> bytes;
        auto at = std::ranges::begin(items);
        auto const end = std::ranges::end(items);
        while (at != end) {
            require_open();
            std::uint64_t n = 0, done = 0;
            for (; n < batch && at != end; ++at) {
                T const& item = *at;
                std::memcpy(bytes[n++].data(), std::addressof(item), sizeof(T));
            }
            for (std::uint64_t some = 0; done != n; done += some) {
                some = local_->ring.put_some(
                    n - done, sizeof(T),
                    [&](std::byte* to, std::uint64_t i) {
                        std::memcpy(to, bytes[done + i].data(), sizeof(T));
                    },
                    deadline);
                if (some == 0) throw Full();
                local_->used.store(true, std::memory_order_relaxed);
            }
        }
    }
}

template <class T>
std::vector<T> Queue<T>::get_many(std::size_t most, Timeout timeout) {
    std::vector<T> items;
    if (most == 0) return items;
    Deadline deadline(timeout);
    if constexpr (detail::lies_inline<T>) {
        if (!local_->tasks) {
            require_open();
            for (std::size_t some = batch; items.size() < most; some *= 2) {
                some = std::min(some, most - items.size());
                items.reserve(items.size() + some);  // the visit must not throw
                auto const got = local_->ring.get_some(
                    some,
                    [&](heap::RingItem& item) {
                        std::array<std::byte, sizeof(T)> bytes;
                        if (detail::copy_inline<T>(item, bytes.data()))
                            items.push_back(std::bit_cast<T>(bytes));
                    },
                    deadline);
                if (got == 0 && items.empty()) throw Empty();
                if (got < some) break;
                deadline = Deadline::at(0);
            }
            return items;
        }
    }
    items.push_back(get_before(deadline));
    while (items.size() < most && !local_->ring.empty()) {
        try {
            items.push_back(get_nowait());
        } catch (Empty const&) {
            break;
        }
    }
    return items;
}

/// A queue travels as a reference to itself; who reads it must name the same T.
template <class T>
struct pickle<Queue<T>> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a(detail::type_name<Queue<T>>());
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, Queue<T> const& queue) {
        writer.handle(queue.local_->shared());
    }
    static Queue<T> load(Reader& reader) {
        auto ring = detail::QueueRing::from(reader.handle());
        if (!ring || ring->ring.type() != Queue<T>::type_hash())
            throw UnpicklingError("the shared object in the message is not a " +
                                  std::string(detail::type_name<Queue<T>>()));
        return Queue<T>(*std::move(ring));
    }
};

}  // namespace multiprocessing

template <class T>
struct fmt::formatter<multiprocessing::Queue<T>> : multiprocessing::detail::ReprFormatter {};
