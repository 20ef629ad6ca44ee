// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring_wait.hpp — spin, yield, then sleep until a step succeeds.
// Layer 2 (heap). Mirrors no Python file.
#pragma once

#include <multiprocessing/heap/event.hpp>

#include <thread>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace multiprocessing::heap {

/// Tells the processor that this is a loop that waits.
inline void pause_briefly() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// How a thread waits before it sleeps. A peer on another processor answers within a spin; one that
/// shares this processor cannot run before we yield, so after a spin in vain the next waits yield
/// at once, and a spin is tried again only when the yields saved have paid for it.
class Patience {
public:
    /// Tries until it succeeds, or until only sleep is left. The first time after so many pauses:
    /// who waits a little longer finds more at once.
    template <class Try>
    static bool spin(Try try_it, int pauses = 1) {
        if (yield_first == 0) {
            // Less and less often: each look takes the line away from the peer that writes it.
            for (int i = 0; i < spins; i += pauses) {
                for (int k = 0; k < pauses; ++k) pause_briefly();
                if (try_it()) return true;
                if (pauses < most_pauses) pauses *= 2;
            }
            yield_first = waits_until_next_spin;
        } else {
            --yield_first;
        }
        for (int i = 0; i < yields; ++i) {
            std::this_thread::yield();
            if (try_it()) return true;
        }
        return false;
    }

    /// After how many pauses a getter first looks again that found nothing. One that has long done
    /// nothing but get, takes what a putter streams: it falls back a little, since the two at one
    /// slot in turn are three times slower than each at its own. One that also puts may be waited
    /// for, and looks at once.
    static int pauses_of_getter() {
        if (gets < gets_of_a_stream) return ++gets, 1;
        return 32;
    }
    static constexpr int pauses_of_putter = 64;
    static void has_put() { gets = 0; }

private:
    static constexpr int gets_of_a_stream = 16;
    static constexpr int spins = 2000;  // pauses, about 50 us: what it costs to be woken
    static constexpr int most_pauses = 64;
    static constexpr int yields = 16;
    static constexpr int waits_until_next_spin = 127;
    static inline thread_local int yield_first = 0;
    static inline thread_local int gets = 0;  // waits for an item since this thread last put one
};

/// Tries until it succeeds or the deadline has passed. Between sleeps, none longer than a slice,
/// `after_slice` looks whether somebody who is waited for died.
template <class Try, class AfterSlice>
bool try_until(Event& event, Deadline deadline, Try try_it, AfterSlice after_slice,
               int first_pauses = 1) {
    if (try_it()) return true;
    if (deadline.expired()) {
        after_slice();
        return try_it();
    }
    if (Patience::spin([&] { return try_it(); }, first_pauses)) return true;
    for (;;) {
        auto const armed = event.arm();
        if (try_it()) return true;
        event.wait(armed, deadline);
        if (try_it()) return true;
        after_slice();
        if (deadline.expired()) return try_it();
    }
}

}  // namespace multiprocessing::heap
