// SPDX-License-Identifier: MIT
// multiprocessing/connection/pipe_end.hpp — one end of a pipe, whatever travels through it.
// Layer 4 (channels). Mirrors _ConnectionBase of Lib/multiprocessing/connection.py.
//
// A pipe is two objects of the shared heap, its ends, and a ring for each direction. An end keeps
// its rings alive, but of the other end it knows the name only. An end is gone when no process and
// no message refers to it: closed, ended or killed, that is the same. Then its name is stale, and
// that is what the other end sees as the end of file or the broken pipe: no state says "closed",
// so none can be left wrong by a kill. A step on a ring is as safe as in a queue.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <utility>

namespace multiprocessing::detail {

/// An end of a pipe in the shared heap. Its links: the ring it receives from, the one it sends to;
/// none for a direction that is not used.
struct PipeEndBody {
    heap::Word peer{0};      // the other end's reference, not counted
    std::uint64_t type = 0;  // of what travels
};

using PipeEndHandle = heap::Tagged<PipeEndBody>;

/// Sweeps the dead at the first slices of a wait, then seldom: whoever held the other end may have
/// died without a parent that noticed, and a wait may be long.
class RareSweep {
public:
    void operator()() {
        if (++slices_ < next_) return;
        next_ = slices_ + std::min(slices_, most_slices);
        heap::sweep_dead();
    }

private:
    static constexpr std::uint32_t most_slices = 50;  // a second
    std::uint32_t slices_ = 0;
    std::uint32_t next_ = 0;
};

/// What the copies of a connection in one process have in common. Any thread may use it.
class PipeEnd {
public:
    explicit PipeEnd(PipeEndHandle end)
        : in_(ring_of(end, 0)), out_(ring_of(end, 1)), peer_{end->peer.load()}, end_(end) {}
    PipeEnd(PipeEnd const&) = delete;
    PipeEnd& operator=(PipeEnd const&) = delete;
    ~PipeEnd() { close(); }

    /// Two new ends; what either sends the other receives. With `duplex` false, the first receives
    /// only and the second sends only.
    static std::pair<PipeEndHandle, PipeEndHandle> make_pair(bool duplex, std::uint64_t capacity,
                                                             std::uint64_t type) {
        auto const new_ring = [&] {
            return heap::Ring::make({.maxsize = capacity, .type = type}).shared();
        };
        auto const to_first = new_ring();
        auto const to_second = duplex ? new_ring() : heap::Shared();
        auto const new_end = [&](heap::Shared const& in, heap::Shared const& out) {
            return PipeEndHandle::make(2, 0, [&](heap::Header& header, PipeEndBody& body) {
                body.type = type;
                if (in) heap::link(header, 0, in);
                if (out) heap::link(header, 1, out);
            });
        };
        auto first = new_end(to_first, to_second);
        auto second = new_end(to_second, to_first);
        first->peer = second.shared().ref().bits;
        second->peer = first.shared().ref().bits;
        return {std::move(first), std::move(second)};
    }

    bool closed() const { return closed_.load(std::memory_order_relaxed); }
    bool readable() const { return static_cast<bool>(in_) && !deaf_.load(); }
    bool writable() const { return static_cast<bool>(out_); }

    void close() {
        if (closed_.exchange(true)) return;
        {
            std::lock_guard guard(mutex_);
            end_ = {};
        }
        // Whoever sleeps at either end looks again.
        for (auto* ring : {&in_, &out_})
            if (*ring) {
                ring->not_empty().notify_all();
                ring->not_full().notify_all();
            }
    }

    /// Nothing is received any more: a message was refused for its length.
    void deafen() {
        deaf_.store(true);
        if (!writable()) close();
    }

    /// The object of the end, to be sent elsewhere. Errors: OSError after close().
    heap::Shared shared() const {
        std::lock_guard guard(mutex_);
        if (!end_) throw_closed();
        return end_.shared();
    }

    /// Whether the two are of one end.
    bool same_end(PipeEnd const& other) const {
        return in_ == other.in_ && out_ == other.out_ && peer_ == other.peer_;
    }

    /// As heap::Ring::put; waits while the pipe is full.
    /// Errors: OSError: closed, not writable, or (errc::broken_pipe) nobody can receive any more.
    template <class... Item>
    bool send(Item&&... item) {
        require_open();
        if (!writable()) throw_wrong_direction("connection is read-only");
        bool broken = false;
        auto const step = [&] {
            broken = over();
            return broken || out_.try_put(item...);
        };
        RareSweep sweep;
        auto const look_after = [&] {
            out_.settle_head();
            sweep();
        };
        heap::try_until(out_.not_full(), Deadline{}, step, look_after,
                        heap::Patience::pauses_of_putter);
        if (!broken) return true;
        require_open();
        throw OSError(std::make_error_code(std::errc::broken_pipe), "Broken pipe");
    }

    /// As heap::Ring::get; waits until there is a message.
    /// Errors: OSError: closed or not readable; EOFError when none can come any more.
    template <class Visit>
    bool receive(Visit&& visit) {
        require_readable();
        bool ended = false;
        auto const step = [&] {
            if (in_.try_get(visit)) return true;
            if (!over()) return false;
            ended = !in_.try_get(visit);  // what was sent before the end comes first
            return true;
        };
        await_message(Deadline{}, step);
        if (!ended) return true;
        require_open();
        throw EOFError();
    }

    /// Whether receive() would not wait. Errors: OSError.
    bool poll(Deadline deadline) {
        require_readable();
        auto const ready = await_message(deadline, [&] { return has_message_or_end(); });
        require_open();
        return ready;
    }

    /// The same, at once; true after close(), too.
    bool has_message_or_end() const { return !in_.empty() || over(); }

    /// What a thread sleeps on that waits for messages.
    heap::Event& arrival() const { return in_.not_empty(); }

    void require_open() const {
        if (closed()) [[unlikely]] throw_closed();
    }
    void require_readable() const {
        require_open();
        if (!readable()) [[unlikely]] throw_wrong_direction("connection is write-only");
    }

private:
    static heap::Ring ring_of(PipeEndHandle const& end, std::uint32_t link) {
        auto const bits = end.shared().header().link(link).load(std::memory_order_acquire);
        return bits == 0 ? heap::Ring() : heap::Ring(heap::Shared::adopt(bits));
    }

    template <class Step>
    bool await_message(Deadline deadline, Step step) {
        RareSweep sweep;
        auto const look_after = [&] {
            in_.settle_head();
            sweep();
        };
        return heap::try_until(in_.not_empty(), deadline, step, look_after,
                               heap::Patience::pauses_of_getter());
    }

    /// The other end is gone, or this one is closed.
    bool over() const { return closed() || heap::ledger().header(peer_) == nullptr; }

    [[noreturn]] static void throw_closed() {
        throw OSError(std::make_error_code(std::errc::bad_file_descriptor), "handle is closed");
    }
    [[noreturn]] static void throw_wrong_direction(char const* text) {
        throw OSError(std::make_error_code(std::errc::bad_file_descriptor), text);
    }

    heap::Ring in_, out_;  // these three never change
    heap::Ref peer_;
    std::atomic<bool> closed_{false};
    std::atomic<bool> deaf_{false};
    mutable std::mutex mutex_;  // of end_
    PipeEndHandle end_;
};

}  // namespace multiprocessing::detail
