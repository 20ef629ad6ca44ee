// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/cell.hpp — where a child of the fork server and its client meet.
// Layer 5 (forkserver). Mirrors the pipes of Lib/multiprocessing/popen_forkserver.py.
//
// Who starts a process by forkserver (its client) is not its parent for the system: that is the
// server, which alone forks, reaps and knows what ended how. All they tell each other are words of
// a cell, in tables that lie in the tree's arena and never move:
//
//   free     -> forking  server   takes the cell, with the next generation
//   forking  -> parked   child    has made itself ready, and sleeps on the cell
//   parked   -> claimed  client   one compare-and-swap: nobody else gets this child
//   claimed  -> handed   client   the task lies in the cell, and is the cell's; one wake
//   handed   -> running  child    one compare-and-swap: the task is run here, or nowhere
//   handed   -> revoked  client   the same, if the child was found dead: the task runs elsewhere
//   any      -> free     client, when it has the exit code; server, once the client is dead
//
// Killed in between: a client that is dead cannot hand over, so the server kills the child and
// frees the cell. A child that is dead is reaped by the server, which writes `outcome` before it
// reaps. A server that is dead takes along all that are forking or parked (see
// platform/lifeline.hpp); the others are their clients' by then. A task has one owner: the client's
// hand until the cell is `handed` (a reference in a claimed cell counts for nothing), then the
// cell, then the child's hand; so who clears a dead client's cell does it after the client's slot
// has been swept.
#pragma once

#include <multiprocessing/heap.hpp>

#include <optional>

namespace multiprocessing::forkserver {

/// generation:24 | client's stamp, or the server's before there is one:36 | phase:4
struct CellWord {
    enum Phase : std::uint64_t { free, forking, parked, claimed, handed, running, revoked };

    static constexpr std::uint64_t pack(std::uint64_t generation, Phase phase,
                                        heap::SlotStamp who) {
        return generation << 40 | (who.bits() & 0xf'ffff'ffff) << 4 | phase;
    }
    static constexpr std::uint64_t generation(std::uint64_t w) { return w >> 40; }
    static constexpr heap::SlotStamp who(std::uint64_t w) {
        return heap::SlotStamp::from(w >> 4 & 0xf'ffff'ffff);
    }
    static constexpr Phase phase(std::uint64_t w) { return static_cast<Phase>(w & 0xf); }
    static constexpr std::uint64_t with(std::uint64_t w, Phase phase) {
        return (w & ~std::uint64_t{0xf}) | phase;
    }
};

/// How a child ended: 0 as long as nobody knows.
struct Outcome {
    static constexpr std::uint64_t told = std::uint64_t{1} << 32;    // by the child, about to end
    static constexpr std::uint64_t reaped = std::uint64_t{1} << 33;  // by the server: it has ended

    static constexpr std::uint64_t of(int code, std::uint64_t by) {
        return by | static_cast<std::uint32_t>(code);
    }
    static constexpr int code(std::uint64_t w) {
        return static_cast<int>(static_cast<std::uint32_t>(w));
    }
};

struct alignas(128) Cell {
    heap::Word state;    // CellWord
    heap::Word server;   // stamp of the one that has forked, or forks, the child
    heap::Word child;    // stamp of the child's slot
    heap::Word pid;
    heap::Word task;     // a message
    heap::Word outcome;  // Outcome
    heap::Event bell;    // the parked child sleeps here
    std::uint32_t padding[19];
};
static_assert(sizeof(Cell) == 128);

/// What the server and all its clients share.
struct alignas(128) Board {
    heap::Word server;    // stamp of the one that serves, or has served last
    heap::Word launcher;  // stamp of the process that is launching one
    heap::Word wanted;    // not 0: somebody waits for a parked child
    heap::Word refusal;   // how many forks failed:32 | the last error:32
    heap::Word hint;      // a cell whose child has parked
    heap::Word ready;     // about how many are parked; the server corrects it
    heap::Word mark;      // cells from here on were never used
    heap::Word stopping;  // not 0: the root ends
    heap::Event bell;     // the server sleeps here
    heap::Event parked;   // clients wait here for a child that parks
    std::uint64_t padding[7];
};
static_assert(sizeof(Board) == 128);

inline constexpr std::uint32_t cells = heap::max_slots;
static_assert(sizeof(Board) + cells * sizeof(Cell) == heap::process_bytes);

inline Board& board() {
    auto& arena = heap::State::instance().arena;
    return *arena.at<Board>(arena.header().process_offset);
}
inline Cell& cell(std::uint32_t index) { return reinterpret_cast<Cell*>(&board() + 1)[index]; }

/// A cell during one generation. 0: none.
struct CellRef {
    std::uint64_t bits = 0;

    static constexpr CellRef of(std::uint32_t index, std::uint64_t generation) {
        return {generation << 16 | std::uint64_t{index} << 1 | 1};
    }
    constexpr std::uint32_t index() const { return static_cast<std::uint32_t>(bits >> 1 & 0x7fff); }
    constexpr std::uint64_t generation() const { return bits >> 16; }
    constexpr explicit operator bool() const { return bits != 0; }

    Cell& operator*() const { return cell(index()); }
    Cell* operator->() const { return &cell(index()); }
    bool is_current() const {
        auto const state = cell(index()).state.load(std::memory_order_acquire);
        return CellWord::generation(state) == generation() &&
               CellWord::phase(state) != CellWord::free;
    }
};

inline void ring_server() { board().bell.notify_one(); }

/// After a claim. As long as one more is parked the server need not know at once: it would take the
/// processor from the child that has just been woken.
inline void ring_server_if_last() {
    auto const before = board().ready.fetch_sub(1, std::memory_order_relaxed);
    if (before < 2 || before > 4096) ring_server();
}

/// A parked child, now the caller's alone. Nothing if none is parked. Never blocks.
inline CellRef try_claim() {
    auto const me = heap::my_stamp();
    auto const count = static_cast<std::uint32_t>(board().mark.load(std::memory_order_acquire));
    auto const first = static_cast<std::uint32_t>(board().hint.load(std::memory_order_relaxed));
    for (std::uint32_t i = 0; i < count; ++i) {
        auto const index = (first + i) % count;
        auto& state = cell(index).state;
        auto seen = state.load(std::memory_order_acquire);
        auto const generation = CellWord::generation(seen);
        if (CellWord::phase(seen) == CellWord::parked &&
            state.compare_exchange_strong(
                seen, CellWord::pack(generation, CellWord::claimed, me)))
            return CellRef::of(index, generation);
    }
    return {};
}

/// Gives the claimed child its task and wakes it. The caller alone may change the state now.
inline void hand_over(CellRef claimed, heap::Hand&& task) {
    auto& cell = *claimed;
    cell.task.store(task.ref().bits, std::memory_order_release);
    task.forget();
    cell.state.store(CellWord::with(cell.state.load(), CellWord::handed));
    cell.bell.notify_one();
}

/// The cell is free for another child. The caller has its exit code, or knows that it never ran.
inline void give_back(CellRef used) {
    if (!used.is_current()) return;
    auto& cell = *used;
    heap::ledger().drop(cell.task);
    cell.state.store(CellWord::pack(used.generation(), CellWord::free, {}),
                     std::memory_order_release);
}

/// True: the child never took its task and never will; it can be handed to another one.
inline bool try_revoke(CellRef handed) {
    auto seen = handed->state.load();
    return CellWord::phase(seen) == CellWord::handed &&
           handed->state.compare_exchange_strong(seen, CellWord::with(seen, CellWord::revoked));
}

/// The exit code of a child that has ended, as far as anybody can know: 255 if it did not tell and
/// the server died before it could. Nothing if it will be known in a moment.
inline std::optional<int> exitcode_of(CellRef ended) {
    for (bool const server_is_dead : {false, true}) {
        if (auto const outcome = ended->outcome.load(std::memory_order_acquire))
            return Outcome::code(outcome);
        if (!server_is_dead &&
            !heap::is_dead(heap::SlotStamp::from(ended->server.load(std::memory_order_relaxed))))
            return std::nullopt;
    }
    return 255;
}

}  // namespace multiprocessing::forkserver
