// SPDX-License-Identifier: MIT
// multiprocessing/util/anchored.hpp — state that a process has once, in however many modules.
// Layer 2 (util). Mirrors the module globals of Lib/multiprocessing.
#pragma once

#include <multiprocessing/heap.hpp>

#include <atomic>
#include <cstddef>
#include <new>

namespace multiprocessing::util {

/// Who keeps what in heap::State::layers.
enum class Anchored : std::size_t { exit, log, process, pool, managers, forkserver };

/// The one T of this process, made at first use and never destroyed: an executable and the plugins
/// it loads share it. A forked child has its own copy, as it was at the fork.
/// Errors: what State::instance() throws.
template <Anchored Place, class T>
T& anchored() {
    static constinit std::atomic<T*> known{nullptr};
    if (auto* const found = known.load(std::memory_order_acquire)) return *found;
    auto& word = heap::State::instance().layers[static_cast<std::size_t>(Place)];
    auto* found = word.load(std::memory_order_acquire);
    if (found == nullptr) {
        // Beside the heap's own state: what is changed at every start lies on few pages, each of
        // which a fork has to copy.
        auto* const place = heap::State::instance().room_for(sizeof(T), alignof(T));
        auto* const fresh = place != nullptr ? ::new (place) T : new T;
        if (word.compare_exchange_strong(found, fresh)) found = fresh;
        else if (place != nullptr) fresh->~T();  // the room is lost
        else delete fresh;
    }
    known.store(static_cast<T*>(found), std::memory_order_release);
    return *static_cast<T*>(found);
}

}  // namespace multiprocessing::util
