// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/serving.hpp — SIGCHLD, SIGINT, waitid, /proc/self/task.
// Layer 1 (platform). Implements platform/serving.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>

#include <optional>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace multiprocessing::platform::inline posix {

inline unsigned thread_count() noexcept {
    struct stat info {};
    // A folder has a link for itself, one for "." and one from each folder in it.
    if (::stat("/proc/self/task", &info) != 0 || info.st_nlink < 3) return 1;
    return static_cast<unsigned>(info.st_nlink) - 2;
}

namespace detail {

struct Serving {
    void (*on_child_end)() = nullptr;
    struct sigaction child {}, interrupt {};  // as they were

    static Serving& instance() noexcept {
        static constinit Serving serving;
        return serving;
    }
};

}  // namespace detail

inline void begin_serving(void (*on_child_end)()) {
    auto& serving = detail::Serving::instance();
    serving.on_child_end = on_child_end;
    struct sigaction handle {};
    handle.sa_handler = [](int) {
        int const saved = errno;
        detail::Serving::instance().on_child_end();
        errno = saved;
    };
    handle.sa_flags = SA_NOCLDSTOP;
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    if (::sigaction(SIGCHLD, &handle, &serving.child) != 0 ||
        ::sigaction(SIGINT, &ignore, &serving.interrupt) != 0)
        throw_last_error("sigaction");
}

inline void end_serving() noexcept {
    auto const& serving = detail::Serving::instance();
    ::sigaction(SIGCHLD, &serving.child, nullptr);
    ::sigaction(SIGINT, &serving.interrupt, nullptr);
}

inline std::optional<EndedChild> ended_child() {
    siginfo_t info{};
    while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno == ECHILD) return std::nullopt;
        if (errno != EINTR) throw_last_error("waitid");
    }
    if (info.si_pid == 0) return std::nullopt;
    return EndedChild{info.si_pid, info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}

}  // namespace multiprocessing::platform::inline posix
