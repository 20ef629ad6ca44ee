// SPDX-License-Identifier: MIT
// multiprocessing/pool/job.hpp — the tasks of one call in shared memory, claimed chunk by chunk.
// Layer 6 (pool). Mirrors the task tuples of Lib/multiprocessing/pool.py.
//
// A chunk: queued -> running(worker) -> done -> settled. One compare-and-swap claims it and names
// the worker, so
// whoever finds that worker dead knows what it held:
//   before the claim   the announcement is delivered again; the chunk is still queued
//   running            the chunk is lost: it fails, or is queued again
//   done               the result is there, whether or not its news got out
// The input and the result of a chunk are messages linked to the job; the job lives as long as its
// pool's process refers to it or an announcement of it is under way. The function of a map is an
// object of its own, which several jobs may share.
//
// Before the claim the worker notes the chunk on its desk: a dead worker's desk is the only place
// to look for what it held, since it has told of everything that lay there before.
#pragma once

#include <multiprocessing/heap/hand.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/heap/shared.hpp>
#include <multiprocessing/heap/slots.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace multiprocessing::pool {

/// How the function of a job is called.
enum class JobKind : std::uint64_t { call, map };

/// The state of a chunk: the worker's SlotStamp:40 | times it was lost:8 | phase.
struct ChunkWord {
    enum Phase : std::uint64_t { queued, running, done, settled };

    static constexpr std::uint64_t pack(Phase phase, std::uint64_t lost = 0,
                                        heap::SlotStamp worker = {}) {
        return worker.bits() << 16 | lost << 4 | phase;
    }
    static constexpr Phase phase(std::uint64_t w) { return static_cast<Phase>(w & 0xf); }
    static constexpr std::uint64_t lost(std::uint64_t w) { return w >> 4 & 0xfff; }
    static constexpr heap::SlotStamp worker(std::uint64_t w) {
        return heap::SlotStamp::from(w >> 16);
    }
};

/// What a job's links and words mean; over memory that the caller keeps alive.
class JobView {
public:
    struct Body {
        std::uint64_t magic;
        JobKind kind;
        std::uint64_t chunks;
    };
    static constexpr std::uint64_t magic = 0x6a6f'622d'706f'6f6c;

    explicit JobView(heap::Header& header) : header_(&header) {}

    /// Errors: MemoryError.
    static heap::Shared make(JobKind kind, std::uint64_t chunks) {
        if (chunks > (1u << 30)) throw MemoryError("a job has too many chunks");
        return heap::Shared::make(heap::Kind::plain, static_cast<std::uint32_t>(1 + 2 * chunks),
                                  sizeof(Body) + chunks * sizeof(heap::Word),
                                  [&](std::byte* place) {
                                      *reinterpret_cast<Body*>(place) = {magic, kind, chunks};
                                  });
    }

    Body const& body() const { return *reinterpret_cast<Body*>(header_->body()); }
    heap::Word& chunk(std::uint64_t index) const {
        return reinterpret_cast<heap::Word*>(header_->body() + sizeof(Body))[index];
    }
    heap::Word& function() const { return header_->link(0); }
    heap::Word& input(std::uint64_t chunk) const {
        return header_->link(static_cast<std::uint32_t>(1 + chunk));
    }
    heap::Word& result(std::uint64_t chunk) const {
        return header_->link(static_cast<std::uint32_t>(1 + body().chunks + chunk));
    }

    /// The message now belongs to this link of the job, which nobody else writes.
    static void store(heap::Word& link, heap::Hand&& message) {
        link.store(message.ref().bits, std::memory_order_release);
        message.forget();
    }
    /// The message of a link, or nothing.
    static heap::Header* message(heap::Word& link) {
        return heap::ledger().header(heap::Ref{link.load(std::memory_order_acquire)});
    }
    static void drop(heap::Word& link) {
        auto ledger = heap::ledger();
        ledger.drop(link);
    }

private:
    heap::Header* header_;
};

/// The function of a map, pickled, as an object that jobs name in their first link.
class FunctionView {
public:
    /// Errors: MemoryError.
    static heap::Shared make(heap::Hand&& text) {
        auto function = heap::Shared::make(heap::Kind::plain, 1, 0, [](std::byte*) {});
        JobView::store(function.header().link(0), std::move(text));
        return function;
    }
    static heap::Header* text(heap::Word& name) {
        auto* const function = JobView::message(name);
        return function == nullptr ? nullptr : JobView::message(function->link(0));
    }
};

/// What one worker has in hand; it alone writes here.
struct Desk {
    heap::Word job;    // Ref bits; 0: nothing yet
    heap::Word chunk;  // written before `job`
    heap::Word began;  // when, on the monotonic clock
    heap::Word ready;  // SlotStamp of the worker once it has initialised itself
    std::uint64_t padding[4];
};
static_assert(sizeof(Desk) == 64);

/// The desks of a pool.
inline heap::Shared make_desks(std::uint32_t count) {
    return heap::Shared::make(heap::Kind::plain, 0, count * sizeof(Desk), [](std::byte*) {});
}
inline Desk& desk(heap::Shared const& desks, std::uint32_t index) {
    return desks.body<Desk>()[index];
}

/// Tells the workers of a chunk. Keeps the job alive until it is heard.
/// Errors: MemoryError.
inline heap::Hand make_announcement(heap::Shared const& job, std::uint64_t chunk) {
    auto message = heap::new_message(1, sizeof chunk);
    *reinterpret_cast<std::uint64_t*>(message.body()) = chunk;
    heap::link(message.header(), 0, job);
    return message;
}

/// What goes from workers to the pool's process: news, in the ring of results.
struct News {
    enum Kind : std::uint64_t { worker_ready, chunk_done, worker_ended, look_again };

    Kind kind;
    std::uint64_t job = 0;     // Ref bits; of worker_ready: its pid
    std::uint64_t chunk = 0;
    std::uint64_t worker = 0;  // SlotStamp
    std::uint64_t began = 0;   // on the monotonic clock
    std::uint64_t ended = 0;
    std::uint64_t bytes = 0;  // of input and result together
};
static_assert(sizeof(News) <= heap::inline_bytes);

/// Errors: MemoryError.
inline void tell(heap::Ring& ring, News const& news) {
    ring.put(std::as_bytes(std::span{&news, 1}), Deadline{});
}

}  // namespace multiprocessing::pool
