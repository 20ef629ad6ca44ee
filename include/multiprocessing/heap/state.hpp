// SPDX-License-Identifier: MIT
// multiprocessing/heap/state.hpp — what one process knows of the tree: its arena, its slot, its
// references.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/inheritance.hpp>
#include <multiprocessing/heap/ledger.hpp>
#include <multiprocessing/platform/anchor.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/thread.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace multiprocessing::heap {

/// A shared object as this process holds it, however many handles there are to it here.
struct Held {
    std::atomic<std::uint64_t> handles;
    Ref ref;
    Word* holding;  // the word of our slot that counts for all of them
};

/// One per process, however many modules use the library.
struct State {
    Arena arena;
    std::uint32_t slot = 0;
    std::uint64_t generation = 0;         // of the slot
    std::atomic<std::uint64_t> epoch{1};  // another one after each fork: cached records are void
    bool foreign = false;                 // forked behind the library's back
    std::optional<Inheritance> inheritance;  // by which the library has started this program
    /// The thread in the library's own fork, which holds the mutex and prepares the child itself.
    /// Not thread-local: the module that forks may be another one than the one whose handlers run.
    std::atomic<std::thread::id> forking{};

    std::mutex mutex;  // of what follows; held across a fork
    std::unordered_map<std::uint64_t, Held*> held;
    std::vector<Word*> free_holdings;
    Word* last_more = nullptr;  // where the next chunk of holdings is linked

    // what the layers above keep; see util/anchored.hpp
    std::array<std::atomic<void*>, 8> layers{};
    std::atomic<std::size_t> room_taken{0};
    alignas(64) std::array<std::byte, 2048> room;

    static State& instance() {
        static State& state = *static_cast<State*>(
            platform::process_anchor(sizeof(State), layout_hash ^ library_version, &construct));
        return state;
    }

    /// Memory that is never given back; null if there is not so much left.
    void* room_for(std::size_t bytes, std::size_t alignment) {
        auto taken = room_taken.load(std::memory_order_relaxed);
        std::size_t begin = 0;
        do {
            begin = (taken + alignment - 1) / alignment * alignment;
            if (alignment > 64 || begin + bytes > room.size()) return nullptr;
        } while (!room_taken.compare_exchange_weak(taken, begin + bytes));
        return room.data() + begin;
    }

    bool is_forking() const { return forking.load() == std::this_thread::get_id(); }

    Slot& my_slot() { return arena.slot(slot); }

    [[noreturn]] static void refuse_foreign() {
        throw RuntimeError("this process was forked without multiprocessing: start processes with "
                           "Process or Pool, or exec another program first");
    }

private:
    static void construct(void* place) { (new (place) State)->begin(); }

    void begin();  // heap/slots.hpp
    static void before_fork();
    static void after_fork_in_parent();
    static void after_fork_in_child();
};

/// The record of the calling thread; taken at its first use, given back when the thread ends.
class ThreadRecord {
    /// `key` is the epoch << 16 | the record's index.
    static void end(std::uint64_t key) noexcept {
        auto& state = State::instance();
        if (key >> 16 != state.epoch.load(std::memory_order_relaxed)) return;  // forked since
        give_back(state.arena.record(static_cast<std::uint16_t>(key)));
        if constexpr (!platform::thread_end_comes_last) cached_epoch = 0;
    }

public:
    static std::uint16_t index() {
        auto& state = State::instance();
        auto const epoch = state.epoch.load(std::memory_order_relaxed);
        if (cached_epoch != epoch) {
            if (state.foreign) State::refuse_foreign();
            cached_index = take(state);
            cached_epoch = epoch;
            platform::at_thread_end(&end, epoch << 16 | cached_index);
        }
        return cached_index;
    }

private:
    static void give_back(Record& record) {
        auto const seen = record.state.load(std::memory_order_relaxed);
        record.state.store(Record::pack(Record::generation(seen) + 1, 0, false),
                           std::memory_order_release);
    }

    static std::uint16_t take(State& state) {
        auto& header = state.arena.header();
        auto constexpr first = max_slots;
        auto const start = header.record_cursor.load(std::memory_order_relaxed);
        for (std::uint32_t i = 0; i < max_records - first; ++i) {
            auto const index =
                static_cast<std::uint32_t>(first + (start + i) % (max_records - first));
            auto& word = state.arena.record(index).state;
            auto seen = word.load(std::memory_order_relaxed);
            if (Record::in_use(seen)) continue;
            raise(header.record_mark, index + 1);
            if (word.compare_exchange_strong(
                    seen, Record::pack(Record::generation(seen), state.slot, true)))
                return static_cast<std::uint16_t>(index);
        }
        throw MemoryError("more than " + std::to_string(max_records - first) +
                          " threads of this process tree use shared objects");
    }

    static void raise(Word& mark, std::uint64_t least) {
        for (auto seen = mark.load(std::memory_order_relaxed);
             seen < least && !mark.compare_exchange_weak(seen, least);) {}
    }

    static inline thread_local std::uint64_t cached_epoch = 0;
    static inline thread_local std::uint16_t cached_index = 0;
};

/// The calling thread's ledger.
inline Ledger ledger() {
    auto const index = ThreadRecord::index();
    return Ledger{State::instance().arena, index};
}

}  // namespace multiprocessing::heap
