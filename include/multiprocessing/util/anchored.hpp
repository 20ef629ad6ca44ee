// SPDX-License-Identifier: MIT
// multiprocessing/util/anchored.hpp — state that a process has once, in however many modules.
// Layer 2 (util). Mirrors the module globals of Lib/multiprocessing.
#pragma once

#include <multiprocessing/heap.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

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
        auto fresh = std::make_unique<T>();
        if (word.compare_exchange_strong(found, fresh.get())) found = fresh.release();
    }
    known.store(static_cast<T*>(found), std::memory_order_release);
    return *static_cast<T*>(found);
}

}  // namespace multiprocessing::util
