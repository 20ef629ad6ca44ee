// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/exit.hpp — on_exit.
// Layer 1 (platform). Implements platform/exit.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/posix/handle.hpp>

#include <cstdlib>

namespace multiprocessing::platform::inline posix {

namespace detail {

using ExitHandler = void (*)(int);

#if !defined(__GLIBC__)
// atexit hands over neither code nor argument; all that register use one handler anyway.
inline ExitHandler& last_exit_handler() {
    static constinit ExitHandler handler = nullptr;
    return handler;
}
#endif

}  // namespace detail

inline void at_exit(void (*handler)(int)) {
#if defined(__GLIBC__)
    auto const failed = detail::bound<&::on_exit>(
        [](int code, void* argument) { reinterpret_cast<detail::ExitHandler>(argument)(code); },
        reinterpret_cast<void*>(handler));
#else
    detail::last_exit_handler() = handler;
    auto const failed = std::atexit([] { detail::last_exit_handler()(0); });
#endif
    if (failed != 0) throw MemoryError("no memory left to register an exit handler");
}

}  // namespace multiprocessing::platform::inline posix
