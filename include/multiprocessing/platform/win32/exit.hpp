// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/exit.hpp — the exit handlers of the C runtime.
// Layer 1 (platform). Implements platform/exit.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <cstdlib>
#include <mutex>
#include <vector>

namespace multiprocessing::platform::inline win32 {

namespace detail {

// A runtime's handlers get neither code nor argument, so what each of ours is to call lies here.
class ExitHandlers {
public:
    static void push(void (*handler)(int)) {
        auto& all = instance();
        std::lock_guard guard(all.mutex_);
        all.handlers_.push_back(handler);
    }

    static int __cdecl run_last() {
        auto& all = instance();
        std::unique_lock guard(all.mutex_);
        auto* const handler = all.handlers_.back();
        all.handlers_.pop_back();
        guard.unlock();
        handler(0);
        return 0;
    }

private:
    static ExitHandlers& instance() {
        static auto& handlers = *new ExitHandlers;  // outlives what exit() destroys
        return handlers;
    }

    std::mutex mutex_;
    std::vector<void (*)(int)> handlers_;
};

// The runtime's own list, which exit() works off while the threads of the process still run. What a
// DLL registers by atexit runs when it is unloaded: at the end there are no threads left then, and
// whoever waited for one would wait for ever.
inline bool register_for_exit(int(__cdecl* handler)()) {
#if defined(_UCRT) || defined(_MSC_VER)
    auto const module = ::GetModuleHandleW(L"ucrtbase.dll");
    auto const name = "_crt_atexit";
    constexpr bool zero_is_success = true;
#else
    auto const module = ::GetModuleHandleW(L"msvcrt.dll");
    auto const name = "_onexit";
    constexpr bool zero_is_success = false;
#endif
    auto const function = module == nullptr ? nullptr : ::GetProcAddress(module, name);
    if (function == nullptr) return false;
    auto const add = reinterpret_cast<long long(__cdecl*)(int(__cdecl*)())>(
        reinterpret_cast<void (*)()>(function));
    auto const result = add(handler);
    return zero_is_success ? static_cast<int>(result) == 0 : result != 0;
}

// The code of a handler must be there when it is called.
inline void keep_module_of(int(__cdecl* handler)()) noexcept {
    constexpr dword pin = 1, from_address = 4;
    module_t module = nullptr;
    ::GetModuleHandleExW(pin | from_address, reinterpret_cast<wchar_t const*>(handler), &module);
}

}  // namespace detail

inline void at_exit(void (*handler)(int)) {
    detail::ExitHandlers::push(handler);
    detail::keep_module_of(&detail::ExitHandlers::run_last);
    if (!detail::register_for_exit(&detail::ExitHandlers::run_last))
        throw MemoryError("no memory left to register an exit handler");
}

}  // namespace multiprocessing::platform::inline win32
