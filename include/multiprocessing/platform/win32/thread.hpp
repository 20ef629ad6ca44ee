// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/thread.hpp — the thread's number and its description.
// Layer 1 (platform). Implements platform/thread.hpp.
#pragma once

#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>
#include <multiprocessing/platform/win32/detail/thread_end.hpp>

#include <cstdint>
#include <memory>
#include <new>
#include <string>

namespace multiprocessing::platform::inline win32 {

namespace detail {

// Static objects are made by the first thread, except those of a plugin that another one loads.
inline dword const first_thread = ::GetCurrentThreadId();

}  // namespace detail

inline bool is_main_thread() noexcept {
    // Zero: asked by a static object that is made before.
    return detail::first_thread == 0 || detail::first_thread == ::GetCurrentThreadId();
}

inline std::string thread_name() {
    // Since Windows 10; an older kernel32.dll would not let a program start that imports it.
    using GetDescription = long(__stdcall*)(void*, wchar_t**);
    auto const get = reinterpret_cast<GetDescription>(reinterpret_cast<void*>(
        ::GetProcAddress(::GetModuleHandleW(L"kernel32.dll"), "GetThreadDescription")));
    wchar_t* text = nullptr;
    if (get == nullptr || get(::GetCurrentThread(), &text) < 0 || text == nullptr) return {};
    std::string name = detail::to_utf8(text);
    ::LocalFree(text);
    return name;
}

inline constexpr bool thread_end_comes_last = true;

inline void at_thread_end(void (*run)(std::uint64_t) noexcept, std::uint64_t value) {
    detail::dword const slot = detail::thread_end_slot();
    if (slot == detail::no_slot) throw std::bad_alloc();
    auto* const before = static_cast<detail::ThreadEndCall*>(::FlsGetValue(slot));
    std::unique_ptr<detail::ThreadEndCall> call(new detail::ThreadEndCall{run, value, before});
    if (::FlsSetValue(slot, call.get()) == 0) throw std::bad_alloc();
    static_cast<void>(call.release());
}

}  // namespace multiprocessing::platform::inline win32
