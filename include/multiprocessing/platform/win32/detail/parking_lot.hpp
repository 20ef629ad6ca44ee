// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/parking_lot.hpp — who sleeps on which word.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

// A lot is a hash table of waits. One lies in front of every SharedMemory, for the words in it, and
// one in each process, for all other words. A wait is two words, so that a process may be killed
// between any two instructions of it:
//     free (owner 0) -> claimed (owner set, key 0) -> waiting (key set) -> claimed -> free
// The sleeper claims, sets the key, looks at the word once more and sleeps on the event of its
// thread, which has a name that tells process and thread. A waker takes the key away, and with it
// the right to wake, opens the event by its name and sets it. A killed sleeper's event is gone with
// it: whoever finds that out frees the wait. A waker killed in between leaves a sleeper that looks
// at the word again after one slice.

#include <multiprocessing/config.hpp>
#include <multiprocessing/platform/anchor.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace multiprocessing::platform::inline win32::detail {

struct Wait {
    std::atomic<std::uint64_t> owner;  // 0: free; else process number << 32 | thread number
    std::atomic<std::uint64_t> key;    // 0: not waiting; else which word, and never 0
};

struct Bucket {
    static constexpr std::size_t size = 64;

    // Counts wakes: where the next begins to look, so that no sleeper is passed over for ever.
    std::atomic<std::uint64_t> wakes;
    std::uint64_t unused[7];
    std::array<Wait, size> waits;
};

struct ParkingLot {
    static constexpr std::size_t buckets = 60;

    std::array<Bucket, buckets> table;

    Bucket& bucket(std::uint64_t key) noexcept {
        return table[(key * 0x9e37'79b9'7f4a'7c15 >> 32) % buckets];
    }
};

/// How much of the front of a shared memory its lot takes.
inline constexpr std::size_t lot_bytes = std::size_t{64} << 10;
static_assert(sizeof(Wait) == 16 && sizeof(Bucket) == 64 + Bucket::size * sizeof(Wait));
static_assert(sizeof(ParkingLot) == ParkingLot::buckets * sizeof(Bucket));
static_assert(sizeof(ParkingLot) <= lot_bytes);

/// What a process knows of its shared memories, and its own lot.
struct ParkingLots {
    struct Mapping {
        std::atomic<std::uintptr_t> begin;  // of the lot; 0: no mapping
        std::atomic<std::uintptr_t> end;    // of the memory behind it
    };

    ParkingLot own;
    std::array<Mapping, 64> mappings;
};

inline ParkingLots& parking_lots() {
    static constinit std::atomic<ParkingLots*> cache{nullptr};  // per module
    ParkingLots* lots = cache.load(std::memory_order_acquire);
    if (lots == nullptr) {
        lots = static_cast<ParkingLots*>(named_anchor("multiprocessing-parking-lots",
                                                      sizeof(ParkingLots), sizeof(ParkingLot),
                                                      [](void*) {}));  // zeros are right
        cache.store(lots, std::memory_order_release);
    }
    return *lots;
}

/// A mapping that is not announced, since there are too many, has polling sleepers.
inline void announce_mapping(std::uintptr_t begin, std::uintptr_t end) {
    constexpr std::uintptr_t being_filled = 1;
    for (ParkingLots::Mapping& mapping : parking_lots().mappings) {
        std::uintptr_t free = 0;
        if (!mapping.begin.compare_exchange_strong(free, being_filled)) continue;
        mapping.end.store(end, std::memory_order_relaxed);
        mapping.begin.store(begin, std::memory_order_release);
        return;
    }
}

inline void withdraw_mapping(std::uintptr_t begin) {
    for (ParkingLots::Mapping& mapping : parking_lots().mappings) {
        if (mapping.begin.load(std::memory_order_relaxed) == begin) {
            mapping.end.store(0, std::memory_order_relaxed);
            mapping.begin.store(0, std::memory_order_release);
        }
    }
}

/// Where the waits for a word are, and under which key.
struct ParkingPlace {
    Bucket* bucket;
    std::uint64_t key;
};

inline ParkingPlace parking_place(void const* word) {
    auto const address = reinterpret_cast<std::uintptr_t>(word);
    ParkingLots& lots = parking_lots();
    ParkingLot* lot = &lots.own;
    std::uint64_t key = address;
    for (ParkingLots::Mapping const& mapping : lots.mappings) {
        std::uintptr_t const begin = mapping.begin.load(std::memory_order_acquire);
        std::uintptr_t const end = mapping.end.load(std::memory_order_relaxed);
        if (begin > 1 && address >= begin && address < end) {
            lot = reinterpret_cast<ParkingLot*>(begin);
            key = address - begin;
            break;
        }
    }
    return {&lot->bucket(key), key};
}

}  // namespace multiprocessing::platform::inline win32::detail
