// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/process.hpp — fork, posix_spawn, waitpid, kill.
// Layer 1 (platform). Implements platform/process.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/posix/detail/spawn.hpp>
#include <multiprocessing/platform/posix/detail/time.hpp>
#include <multiprocessing/platform/types.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline constexpr bool has_fork = true;

inline std::int64_t process_id() noexcept { return ::getpid(); }

inline std::int64_t parent_process_id() noexcept { return ::getppid(); }

[[noreturn]] inline void exit_process(int code) noexcept {
    detail::bound<&::_exit>(code);
    __builtin_unreachable();
}

namespace detail {

// Whether there is something to write out. Looks into the stream, since each function of the C
// library that a forked child calls is one more page that it has to find.
inline bool is_pending(std::FILE* stream) noexcept {
#if defined(__GLIBC__)
    if (stream->_mode <= 0) return stream->_IO_write_ptr > stream->_IO_write_base;
#endif
    return ::__fpending(stream) != 0;
}

// Whether the stream is now empty. Waits for no other thread, though for a slow reader of a pipe.
inline bool try_flush(std::FILE* stream) noexcept {
    if (!is_pending(stream)) {  // a lock is two pages that a fork has to copy
        return true;
    }
    if (::ftrylockfile(stream) != 0) {
        return false;
    }
    bool const flushed = ::fflush_unlocked(stream) == 0;
    ::funlockfile(stream);
    return flushed;
}

}  // namespace detail

inline bool flush_stdio() noexcept {
    bool const out = detail::try_flush(stdout);
    bool const err = detail::try_flush(stderr);
    return out && err;
}

inline ForkResult fork_process() {
    bool const out = detail::try_flush(stdout);
    bool const err = detail::try_flush(stderr);
    detail::ForkMoment const moment;
    pid_t const pid = ::fork();
    if (pid < 0) {
        throw_last_error("fork");
    }
    if (pid > 0) {
        return {ForkSide::parent, pid};
    }
    moment.tell_child();
    // What the parent still has to print is the parent's, also where a thread has begun to print
    // meanwhile. The C library has freed the locks.
    if (!out || detail::is_pending(stdout)) {
        ::__fpurge(stdout);
    }
    if (!err || detail::is_pending(stderr)) {
        ::__fpurge(stderr);
    }
    return {ForkSide::child, ::getpid()};
}

inline std::int64_t spawn_process(std::string const& program,
                                  std::vector<std::string> const& arguments,
                                  std::span<native_handle const> inherited) {
    flush_stdio();
    return detail::spawn(program, arguments, inherited);
}

namespace detail {

// Reaps the child if it has ended.
inline std::optional<int> try_reap(std::int64_t pid, int flags) {
    for (;;) {
        int status = 0;
        pid_t const reaped = ::waitpid(static_cast<pid_t>(pid), &status, flags);
        if (reaped > 0) {
            return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
        }
        if (reaped == 0) {
            return std::nullopt;
        }
        if (errno != EINTR) {
            throw_last_error("waitpid", fmt::format("{}", pid));
        }
    }
}

inline void send_signal(std::int64_t pid, int signal) {
    if (pid <= 0) {  // the system would take it for a group of processes
        throw ValueError(fmt::format("cannot signal process {}: not a process", pid));
    }
    if (::kill(static_cast<pid_t>(pid), signal) != 0 && errno != ESRCH) {
        throw_last_error("kill", fmt::format("{}", pid));
    }
}

}  // namespace detail

inline std::optional<int> wait_process(std::int64_t pid, std::uint64_t timeout_ns) {
    constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
    if (pid <= 0) {
        throw ValueError(fmt::format("cannot wait for process {}: not a process", pid));
    }
    if (timeout_ns == forever) {
        return detail::try_reap(pid, 0);
    }
    std::uint64_t const start = monotonic_ns();
    Handle ended;  // opened only if there is something to wait for
    std::uint64_t nap = 50'000;
    for (bool first = true;; first = false) {
        if (std::optional<int> const exitcode = detail::try_reap(pid, WNOHANG)) {
            return exitcode;
        }
        std::uint64_t const passed = monotonic_ns() - start;
        if (passed >= timeout_ns) {
            return std::nullopt;
        }
        if (first) {
            ended = open_process(pid);
        }
        timespec limit = detail::to_timespec(timeout_ns - passed);
        if (ended) {
            pollfd wait{ended.get(), POLLIN, 0};
            if (::ppoll(&wait, 1, &limit, nullptr) == 1) {
                ended.reset();  // if a tracer keeps it from being reaped, the naps take over
            }
        } else {
            limit = detail::to_timespec(std::min(timeout_ns - passed, nap));
            ::nanosleep(&limit, nullptr);
            nap = std::min<std::uint64_t>(nap * 2, 5'000'000);
        }
    }
}

inline void interrupt_process(std::int64_t pid) { detail::send_signal(pid, SIGINT); }
inline void terminate_process(std::int64_t pid) { detail::send_signal(pid, SIGTERM); }
inline void kill_process(std::int64_t pid) { detail::send_signal(pid, SIGKILL); }

inline void at_fork(void (*prepare)(), void (*parent)(), void (*child)()) {
    if (int const error = ::pthread_atfork(prepare, parent, child); error != 0) {
        throw_system_error(error, "pthread_atfork");
    }
}

namespace detail {

// Whether the program has read more than it has taken.
inline bool is_read_ahead([[maybe_unused]] std::FILE* stream) noexcept {
#if defined(__GLIBC__)
    return stream->_IO_read_ptr != stream->_IO_read_end;
#else
    return true;
#endif
}

}  // namespace detail

inline void use_null_stdin() {
    int const null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0) {
        throw_last_error("open", "/dev/null");
    }
    if (null == STDIN_FILENO) {  // it was closed
        set_inheritable(null, true);
    } else {
        int const failed = detail::bound<&::dup2>(null, STDIN_FILENO);
        ::close(null);
        if (failed < 0) {
            throw_last_error("dup2", "of /dev/null to stdin");
        }
    }
    if (detail::is_read_ahead(stdin)) {
        detail::bound<&::__fpurge>(stdin);  // it is the parent's
    }
}

inline void end_at_faults() noexcept {}

}  // namespace multiprocessing::platform::inline posix
