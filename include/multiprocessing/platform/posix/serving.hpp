// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/serving.hpp — SIGCHLD, SIGINT, waitid, /proc/self/task.
// Layer 1 (platform). Implements platform/serving.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <cstdint>
#include <optional>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
#include <sys/single_threaded.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline unsigned thread_count() noexcept {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    if (__libc_single_threaded) return 1;  // so far, so that there is nothing to count
#endif
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

namespace detail {

/// One that has ended, and can be waited for still.
inline std::optional<EndedChild> look_at_child(idtype_t kind, id_t which, int flags) {
    siginfo_t info{};
    while (::waitid(kind, which, &info, WEXITED | WNOWAIT | flags) != 0) {
        if (errno == ECHILD) return std::nullopt;
        if (errno != EINTR) throw_last_error("waitid");
    }
    if (info.si_pid == 0) return std::nullopt;
    return EndedChild{info.si_pid, info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}

}  // namespace detail

inline std::optional<EndedChild> ended_child() { return detail::look_at_child(P_ALL, 0, WNOHANG); }

inline constexpr bool has_child_end = true;

inline std::optional<int> child_end(std::int64_t pid, bool waits) {
    auto const ended = detail::look_at_child(P_PID, static_cast<id_t>(pid), waits ? 0 : WNOHANG);
    return ended ? std::optional(ended->exitcode) : std::nullopt;
}

inline Handle ended_handle() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw_last_error("pipe2");
    Handle reader = detail::own_descriptor(ends[0]);
    ::close(ends[1]);  // nobody writes any more
    return reader;
}

}  // namespace multiprocessing::platform::inline posix
