// SPDX-License-Identifier: MIT
// multiprocessing/dummy/connection.hpp — a pipe between threads: objects are handed over.
// Layer 5 (process). Mirrors Lib/multiprocessing/dummy/connection.py.
#pragma once

#include <multiprocessing/dummy/queue.hpp>
#include <multiprocessing/timeout.hpp>

#include <utility>

namespace multiprocessing::dummy {

/// One end. Closing does nothing.
/// Sharing: any thread of this process.
/// Python: `multiprocessing.dummy.connection.Connection`.
template <class T>
class Connection {
public:
    Connection(Queue<T> in, Queue<T> out) : in_(std::move(in)), out_(std::move(out)) {}

    /// Never blocks.
    void send(T object) const { out_.put(std::move(object)); }
    /// Blocks: until there is something.
    T recv() const { return in_.get(); }
    /// Whether there is something to receive, waiting for it as long as is said.
    bool poll(Timeout timeout = Timeout::from_ns(0)) const { return in_.wait(timeout); }
    void close() const {}

private:
    Queue<T> in_, out_;
};

/// Two ends, each way.
/// Python: `multiprocessing.dummy.Pipe(duplex=True)`, which is always two-way.
template <class T>
std::pair<Connection<T>, Connection<T>> Pipe(bool = true) {
    Queue<T> there, back;
    return {Connection<T>(back, there), Connection<T>(there, back)};
}

}  // namespace multiprocessing::dummy
