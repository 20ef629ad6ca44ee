// SPDX-License-Identifier: MIT
// multiprocessing/queues/simple_queue.hpp — a queue with put, get and no more.
// Layer 4 (channels). Mirrors SimpleQueue in Lib/multiprocessing/queues.py.
#pragma once

#include <multiprocessing/queues/queue.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace multiprocessing {

/// A queue of T without a bound, without time-outs. Copies name the same queue.
///
/// Sharing: as Queue.
/// Python: `multiprocessing.SimpleQueue`.
/// Differs: put() never waits.
template <class T>
class SimpleQueue : Queue<T> {
public:
    using value_type = T;

    /// Errors: MemoryError. Python: `multiprocessing.SimpleQueue()`.
    SimpleQueue() = default;

    /// Puts a copy of an item. Never blocks.
    /// Errors: OSError after close(); what pickling throws, and then nothing was put.
    /// Python: `SimpleQueue.put(obj)`.
    void put(T const& item) {
        require_open();
        Queue<T>::put(item);
    }

    /// Takes the first item out.
    /// Blocks: until there is one.
    /// Errors: OSError after close(); UnpicklingError, and then the item is gone.
    /// Python: `SimpleQueue.get()`.
    T get() {
        require_open();
        return Queue<T>::get();
    }

    /// Errors: OSError after close(). Python: `SimpleQueue.empty()`.
    [[nodiscard]] bool empty() const {
        require_open();
        return Queue<T>::empty();
    }

    /// This handle and its copies in this process are used no more; other processes' are not
    /// concerned. May be called twice.
    /// Python: `SimpleQueue.close()`.
    void close() { Queue<T>::close(); }

    /// Python's `repr`, which is its `str` too. The address is the same in all processes.
    [[nodiscard]] std::string repr() const {
        return fmt::format("<multiprocessing.queues.SimpleQueue object at {:#x}>",
                           this->local_->ring.shared().ref().offset());
    }

    /// Whether both name the same queue.
    friend bool operator==(SimpleQueue const& a, SimpleQueue const& b) {
        return static_cast<Queue<T> const&>(a) == static_cast<Queue<T> const&>(b);
    }

private:
    friend struct pickle<SimpleQueue>;

    explicit SimpleQueue(Queue<T> queue) : Queue<T>(std::move(queue)) {}

    void require_open() const {
        if (this->local_->closed.load(std::memory_order_relaxed)) [[unlikely]]
            throw OSError(std::make_error_code(std::errc::bad_file_descriptor), "handle is closed");
    }
};

/// A queue travels as a reference to itself; who reads it must name the same T.
template <class T>
struct pickle<SimpleQueue<T>> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a(detail::type_name<SimpleQueue<T>>());
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, SimpleQueue<T> const& queue) {
        pickle<Queue<T>>::dump(writer, static_cast<Queue<T> const&>(queue));
    }
    static SimpleQueue<T> load(Reader& reader) {
        return SimpleQueue<T>(pickle<Queue<T>>::load(reader));
    }
};

}  // namespace multiprocessing

template <class T>
struct fmt::formatter<multiprocessing::SimpleQueue<T>> : multiprocessing::detail::ReprFormatter {};
