// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/thread.hpp — gettid and the name that the kernel keeps.
// Layer 1 (platform). Implements platform/thread.hpp.
#pragma once

#include <multiprocessing/platform/posix/detail/procfs.hpp>

#include <string>
#include <string_view>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline bool is_main_thread() noexcept { return ::syscall(SYS_gettid) == ::getpid(); }

inline std::string thread_name() {
    char name[16] = {};
    if (::pthread_getname_np(::pthread_self(), name, sizeof name) != 0) return {};
    if (is_main_thread()) return name;
    detail::SmallFile<64> const file("/proc/self/comm");  // the main thread's
    std::string_view inherited = file.text();
    if (inherited.ends_with('\n')) inherited.remove_suffix(1);
    return name == inherited ? std::string() : std::string(name);
}

}  // namespace multiprocessing::platform::inline posix
