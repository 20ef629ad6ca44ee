// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/spin.hpp — the short wait before a sleep.
// Layer 2 (synchronization). Mirrors no Python file.
#pragma once

#include <multiprocessing/platform/system.hpp>

#include <thread>

namespace multiprocessing::detail {

/// Tells the processor that this is a spin.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Whether a peer can run while we spin.
inline bool has_second_cpu() noexcept {
    static bool const several = [] {
        try {
            return platform::process_cpu_count() > 1;
        } catch (...) {
            return false;
        }
    }();
    return several;
}

/// Tries for about as long as falling asleep would take (200 pauses, some 5 us), or, where the peer
/// shares our only processor, lets it run instead.
template <class Try>
bool spin_until(Try attempt) {
    if (has_second_cpu()) {
        for (int i = 0; i < 200; ++i) {
            if (attempt()) return true;
            relax();
        }
    } else {
        for (int i = 0; i < 16; ++i) {
            if (attempt()) return true;
            std::this_thread::yield();
        }
    }
    return false;
}

}  // namespace multiprocessing::detail
