// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/background.hpp — CreateThread.
// Layer 1 (platform). Implements platform/background.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <cstddef>
#include <memory>

#include <fmt/format.h>

namespace multiprocessing::platform::inline win32 {

namespace detail {

struct BackgroundThread {
    void (*run)(void*);
    void* argument;
};

inline dword __stdcall run_background_thread(void* given) {
    auto const thread = *static_cast<BackgroundThread*>(given);
    delete static_cast<BackgroundThread*>(given);
    thread.run(thread.argument);
    return 0;
}

}  // namespace detail

inline void start_background_thread(void (*run)(void*), void* argument) {
    constexpr std::size_t stack_bytes = std::size_t{256} << 10;
    constexpr detail::dword stack_bytes_are_reserve = 0x10000;
    auto thread = std::make_unique<detail::BackgroundThread>(run, argument);
    Handle const started(::CreateThread(nullptr, stack_bytes, &detail::run_background_thread,
                                        thread.get(), stack_bytes_are_reserve, nullptr));
    if (!started)
        throw RuntimeError(fmt::format("cannot start a thread: error {}", ::GetLastError()));
    static_cast<void>(thread.release());
}

}  // namespace multiprocessing::platform::inline win32
