// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/owner.hpp — one thread of one process of the tree, as one word.
// Layer 2 (synchronization). Takes the place of the thread identifier in CPython's SemLock.
#pragma once

#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/platform/thread.hpp>
#include <multiprocessing/timeout.hpp>
#include <multiprocessing/util/log.hpp>

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace multiprocessing::detail {

/// slot:12 | the slot's generation:24 | thread's record:16 | the record's generation:8 | flags:4.
/// 0 is nobody.
class Owner {
public:
    static constexpr std::uint64_t took_over_flag = 1;

    constexpr explicit Owner(std::uint64_t bits) : bits_(bits) {}

    /// The calling thread. A thread keeps its record until it ends; after a fork it is another one.
    static Owner mine() {
        struct Cache {
            std::uint64_t epoch, bits;
        };
        static thread_local constinit Cache cache{0, 0};
        auto& state = heap::State::instance();
        if (cache.epoch != state.epoch.load(std::memory_order_relaxed)) [[unlikely]]
            cache = {state.epoch.load(std::memory_order_relaxed), look_up(state)};
        return Owner{cache.bits};
    }

    constexpr std::uint64_t bits() const { return bits_; }
    constexpr explicit operator bool() const { return bits_ != 0; }
    constexpr bool took_over() const { return (bits_ & took_over_flag) != 0; }
    constexpr bool same_process(Owner other) const { return (bits_ ^ other.bits_) >> 28 == 0; }
    constexpr bool same_thread(Owner other) const { return (bits_ ^ other.bits_) >> 4 == 0; }
    constexpr heap::SlotStamp stamp() const { return heap::SlotStamp::from(bits_ >> 28); }

    /// Whether shared memory alone tells that the process, or also the thread, is no more. Cheap.
    bool known_to_have_ended(bool or_thread) const {
        return !heap::is_current(stamp()) || (or_thread && thread_ended());
    }

    /// Whether the process, or also the thread, is no more. May ask the system. `polling`: the
    /// caller may ask in a loop, so that the answer may be a millisecond old.
    bool ended(bool or_thread, bool polling) const {
        if (known_to_have_ended(or_thread)) return true;
        if (same_process(mine()) || (polling && was_alive_just_now())) return false;
        return heap::is_dead(stamp());
    }

private:
    static constexpr std::uint64_t just_now_ns = 1'000'000;

    static std::uint64_t look_up(heap::State& state) {
        auto const index = heap::ThreadRecord::index();
        auto const record = state.arena.record(index).state.load(std::memory_order_relaxed);
        return heap::SlotStamp{state.slot, state.generation}.bits() << 28 |
               std::uint64_t{index} << 12 |
               std::uint64_t{heap::Record::generation(record) & 0xff} << 4;
    }

    bool thread_ended() const {
        auto const record = heap::State::instance()
                                .arena.record(static_cast<std::uint32_t>(bits_ >> 12 & 0xffff))
                                .state.load(std::memory_order_acquire);
        return !heap::Record::in_use(record) ||
               (heap::Record::generation(record) & 0xff) != (bits_ >> 4 & 0xff);
    }

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

    std::uint64_t bits_;
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
inline std::string owner_label(Owner owner) {
    auto const me = Owner::mine();
    if (!owner) return "None";
    if (!owner.same_process(me)) return "SomeOtherProcess";
    if (!owner.same_thread(me)) return "SomeOtherThread";
    auto label = heap::slots::name(heap::State::instance().my_slot());
    if (auto const thread = thread_label(); !thread.empty()) label += '|' + thread;
    return label;
}

[[gnu::cold, gnu::noinline]] inline void warn_abandoned(Owner owner) noexcept {
    try {
        auto& slot = heap::slot_of(owner.stamp());
        auto const name = heap::slots::name(slot);
        auto const pid = slot.pid.load(std::memory_order_relaxed);
        if (heap::is_current(owner.stamp()))
            util::warning("took over a lock from {} (pid {}), which ended while it held it", name,
                          pid);
        else
            util::warning("took over a lock from a process that ended while it held it");
    } catch (...) {  // no memory for a message: the lock is ours all the same
    }
}

}  // namespace multiprocessing::detail
