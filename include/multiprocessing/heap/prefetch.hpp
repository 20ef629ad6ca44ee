// SPDX-License-Identifier: MIT
// multiprocessing/heap/prefetch.hpp — having a cache line brought here before it is needed.
// Layer 2 (heap). Mirrors no Python file.
#pragma once

namespace multiprocessing::heap {

/// Asks for the line of an address as one that will be written, so that a later compare-and-swap
/// needs no second turn to take it from its readers. Never faults.
inline void prefetch_to_write(void const* address) noexcept {
#if defined(__x86_64__)
    // The compiler's builtin asks for a line to read where the processor's model is not chosen.
    asm volatile("prefetchw %0" : : "m"(*static_cast<char const*>(address)));
#else
    __builtin_prefetch(address, 1);
#endif
}

}  // namespace multiprocessing::heap
