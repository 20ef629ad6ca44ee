// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/owner.hpp — who holds a lock, as one word: a process or a thread.
// Layer 2 (synchronization). Takes the place of the thread identifier in CPython's SemLock.
#pragma once

#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/platform/thread.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace multiprocessing::detail {

/// What both kinds of owner have in common. 0 is nobody; the lowest bit says that the lock was
/// taken over. `Kind` has look_up(State&), known_to_have_ended(), process(), and says which bits
/// name the process.
template <class Kind>
class OwnerWord {
public:
    static constexpr std::uint64_t took_over_flag = 1;

    constexpr explicit OwnerWord(std::uint64_t bits) : bits_(bits) {}

    /// The calling thread. It stays the same until it ends; after a fork it is another one.
    static Kind mine() {
        struct Cache {
            std::uint64_t epoch, bits;
        };
        static thread_local constinit Cache cache{0, 0};
        auto& state = heap::State::instance();
        if (cache.epoch != state.epoch.load(std::memory_order_relaxed)) [[unlikely]]
            cache = {state.epoch.load(std::memory_order_relaxed), Kind::look_up(state)};
        return Kind{cache.bits};
    }

    constexpr std::uint64_t bits() const { return bits_; }
    constexpr explicit operator bool() const { return bits_ != 0; }
    constexpr bool took_over() const { return (bits_ & took_over_flag) != 0; }
    constexpr bool same_thread(Kind other) const { return (bits_ ^ other.bits_) >> 1 == 0; }
    constexpr bool same_process(Kind other) const {
        return ((bits_ ^ other.bits_) & Kind::process_bits) == 0;
    }

    /// Whether the owner is no more. May ask the system. `polling`: the caller may ask in a loop,
    /// so that the answer may be a millisecond old.
    bool ended(bool polling) const {
        if (self().known_to_have_ended()) return true;
        if (same_process(mine()) || (polling && was_alive_just_now())) return false;
        // Known only afterwards whether it was the owner's slot that was asked about.
        return heap::is_dead(self().process()) || self().known_to_have_ended();
    }

protected:
    std::uint64_t bits_;

private:
    static constexpr std::uint64_t just_now_ns = 1'000'000;

    Kind const& self() const { return static_cast<Kind const&>(*this); }

    bool was_alive_just_now() const {
        struct Look {
            std::uint64_t bits, until;
        };
        static thread_local constinit Look last{0, 0};
        auto const now = Deadline::now_ns();
        if (last.bits == bits_ && now < last.until) return true;
        last = {bits_, now + just_now_ns};
        return false;
    }
};

/// The owner of a Lock: its process, whose other threads may release it too.
/// slot:12 | the slot's generation:24 | thread's record:16 | low 11 of its generation | flag:1.
/// The thread is for texts and checks only.
class ProcessOwner : public OwnerWord<ProcessOwner> {
public:
    static constexpr std::uint64_t process_bits = ~std::uint64_t{0} << 28;

    using OwnerWord::OwnerWord;

    heap::SlotStamp process() const { return heap::SlotStamp::from(bits_ >> 28); }

    /// Whether shared memory alone tells that the owner is no more. Cheap.
    bool known_to_have_ended() const { return !heap::is_current(process()); }

    static std::uint64_t look_up(heap::State& state) {
        auto const index = heap::ThreadRecord::index();
        auto const record = state.arena.record(index).state.load(std::memory_order_relaxed);
        return heap::SlotStamp{state.slot, state.generation}.bits() << 28 |
               std::uint64_t{index} << 12 |
               std::uint64_t{heap::Record::generation(record) & 0x7ff} << 1;
    }
};

/// The owner of an RLock: one thread, which alone can release it, so that its end ends the hold.
/// record:16 | the record's generation:32 | slot:12 | low 3 of its generation | flag:1.
/// The record says whose it is as long as it has that generation; the slot is for texts only.
class ThreadOwner : public OwnerWord<ThreadOwner> {
public:
    static constexpr std::uint64_t process_bits = 0xfffe;

    using OwnerWord::OwnerWord;

    /// The process that the thread's record belongs to, if the thread is known to live.
    heap::SlotStamp process() const {
        auto const slot = heap::Record::slot(record());
        auto const word = heap::State::instance().arena.slot(slot).state.load();
        return {slot, heap::Slot::generation(word)};
    }

    /// Whether shared memory alone tells that the owner is no more. Cheap.
    bool known_to_have_ended() const {
        auto const seen = record();
        return !heap::Record::in_use(seen) ||
               heap::Record::generation(seen) != static_cast<std::uint32_t>(bits_ >> 16);
    }

    static std::uint64_t look_up(heap::State& state) {
        auto const index = heap::ThreadRecord::index();
        auto const record = state.arena.record(index).state.load(std::memory_order_relaxed);
        return std::uint64_t{index} << 48 | std::uint64_t{heap::Record::generation(record)} << 16 |
               std::uint64_t{state.slot} << 4 | (state.generation & 7) << 1;
    }

private:
    std::uint64_t record() const {
        return heap::State::instance()
            .arena.record(static_cast<std::uint32_t>(bits_ >> 48))
            .state.load(std::memory_order_acquire);
    }
};

/// The calling thread's name as Python would show it: none for the main thread.
inline std::string thread_label() {
    if (platform::is_main_thread()) return {};
    if (auto name = platform::thread_name(); !name.empty()) return name;
    static std::atomic<std::uint64_t> count{0};
    static thread_local std::uint64_t const number = ++count;
    return fmt::format("Thread-{}", number);
}

/// The owner of a lock as CPython's reprs name it.
template <class Owner>
std::string owner_label(Owner owner) {
    auto const me = Owner::mine();
    if (!owner) return "None";
    if (!owner.same_process(me)) return "SomeOtherProcess";
    if (!owner.same_thread(me)) return "SomeOtherThread";
    auto label = heap::slots::name(heap::State::instance().my_slot());
    if (auto const thread = thread_label(); !thread.empty()) label += '|' + thread;
    return label;
}

}  // namespace multiprocessing::detail
