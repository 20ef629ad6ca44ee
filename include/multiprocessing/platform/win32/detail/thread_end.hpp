// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/thread_end.hpp — calls of the system at a thread's end.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/modules.hpp>

#include <atomic>
#include <cstdint>
#include <new>

namespace multiprocessing::platform::inline win32::detail {

struct ThreadEndCall {
    void (*run)(std::uint64_t) noexcept;
    std::uint64_t value;
    ThreadEndCall* before;
};

inline void __stdcall run_thread_end(void* given) {
    for (auto* call = static_cast<ThreadEndCall*>(given); call != nullptr;) {
        call->run(call->value);
        auto const* const done = call;
        call = call->before;
        delete done;
    }
}

inline constexpr dword no_slot = 0xffff'ffff;

/// Where this module keeps the calls of each thread; made at the first use.
inline dword thread_end_slot() noexcept {
    static constinit std::atomic<dword> known{no_slot};
    dword slot = known.load(std::memory_order_acquire);
    if (slot != no_slot) return slot;
    dword const made = ::FlsAlloc(&run_thread_end);
    if (made == no_slot) return no_slot;
    if (!known.compare_exchange_strong(slot, made, std::memory_order_acq_rel)) {
        ::FlsFree(made);
        return slot;
    }
    ModuleInUse(&known).keep_for_ever();  // the system calls into it from now on
    return made;
}

}  // namespace multiprocessing::platform::inline win32::detail
