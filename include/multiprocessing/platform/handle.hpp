// SPDX-License-Identifier: MIT
// multiprocessing/platform/handle.hpp — an owned handle of the operating system.
// Layer 1 (platform). Mirrors `duplicate` and `DupFd` of Lib/multiprocessing/reduction.py.
#pragma once

// native_handle     POSIX: a file descriptor.  Windows: a HANDLE.
// Handle            owns one and closes it; moves, does not copy. A descriptor of this library is
//                   always close-on-exec and never 0, 1 or 2, also when the program was started
//                   with its standard streams closed.
// duplicate         a second handle of the same object; not inheritable either.
// number_of_handle, handle_of_number   as it stands on the command line of who inherits it.
// set_inheritable   POSIX: clears or sets FD_CLOEXEC.  Windows: HANDLE_FLAG_INHERIT. Racy where
//                   another thread starts a process; spawn_process needs no call of it.

#include <multiprocessing/platform/detect.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(handle)

namespace multiprocessing::platform {

template <class T>
concept HandleApi =
    std::movable<T> && !std::copyable<T> && std::default_initializable<T> &&
    std::constructible_from<T, native_handle> && requires(T & handle, T const& view) {
    { view.get() }
    noexcept->std::same_as<native_handle>;
    { handle.release() }
    noexcept->std::same_as<native_handle>;
    { handle.reset() }
    noexcept;
    { static_cast<bool>(view) }
    noexcept;
};
static_assert(HandleApi<Handle>, "platform/<os>/handle.hpp must give Handle every member above");
static_assert(std::is_same_v<decltype(&duplicate), Handle (*)(native_handle)> &&
                  std::is_same_v<decltype(&set_inheritable), void (*)(native_handle, bool)>,
              "platform/<os>/handle.hpp must define duplicate and set_inheritable");
static_assert(
    std::is_same_v<decltype(&number_of_handle), std::uint64_t (*)(native_handle) noexcept> &&
        std::is_same_v<decltype(&handle_of_number), native_handle (*)(std::uint64_t) noexcept>,
    "platform/<os>/handle.hpp must define number_of_handle and handle_of_number");

}  // namespace multiprocessing::platform
