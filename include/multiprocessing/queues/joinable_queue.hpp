// SPDX-License-Identifier: MIT
// multiprocessing/queues/joinable_queue.hpp — a queue that knows when all that was put is done.
// Layer 4 (channels). Mirrors JoinableQueue in Lib/multiprocessing/queues.py.
#pragma once

#include <multiprocessing/queues/queue.hpp>

#include <string>
#include <utility>

namespace multiprocessing {

/// A Queue whose getters call task_done() for each item; join() waits until that was done for all.
/// A copy that is a Queue<T> counts in the same way.
///
/// Sharing: as Queue. An item that its getter was killed over, before it had it, is put again.
/// Python: `multiprocessing.JoinableQueue`.
/// Differs: a process that ends, killed or not, with items that it has got and not reported does
///     not hold up join() for ever: they count as done, and join() throws. At most 1000 threads
///     hold items at once.
template <class T>
class JoinableQueue : public Queue<T> {
public:
    /// As Queue's. Python: `multiprocessing.JoinableQueue(maxsize=0)`.
    explicit JoinableQueue(long maxsize = 0)
        : Queue<T>(detail::QueueRing(
              detail::Tasks::make(Queue<T>::new_ring(maxsize, true)))) {}

    /// An item that was got is done. Which one does not matter; who calls should be who got it.
    /// Errors: ValueError when it is called more often than items were put.
    /// Python: `JoinableQueue.task_done()`.
    void task_done() {
        if (!this->local_->tasks->done(this->local_->ring))
            throw ValueError("task_done() called too many times");
    }

    /// Waits until every item that was put is done.
    /// Blocks: until then, or until a process's end is noticed (within 20 ms) that held items.
    /// Errors: WorkerLostError that names such a process. Each is named once, to all who wait at
    ///     that time or to the next who comes; call join() again to wait for the rest.
    /// Python: `JoinableQueue.join()`.
    void join() { this->local_->tasks->join(this->local_->ring); }

private:
    friend struct pickle<JoinableQueue>;
    explicit JoinableQueue(detail::QueueRing ring) : Queue<T>(std::move(ring)) {}
};

/// A queue travels as a reference to itself; who reads it must name the same T.
template <class T>
struct pickle<JoinableQueue<T>> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a(detail::type_name<JoinableQueue<T>>());
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, JoinableQueue<T> const& queue) {
        writer.handle(queue.local_->shared());
    }
    static JoinableQueue<T> load(Reader& reader) {
        auto ring = detail::QueueRing::from(reader.handle());
        if (!ring || !ring->tasks || ring->ring.type() != JoinableQueue<T>::type_hash())
            throw UnpicklingError("the shared object in the message is not a " +
                                  std::string(detail::type_name<JoinableQueue<T>>()));
        return JoinableQueue<T>(*std::move(ring));
    }
};

}  // namespace multiprocessing

template <class T>
struct fmt::formatter<multiprocessing::JoinableQueue<T>>
    : multiprocessing::detail::ReprFormatter {};
