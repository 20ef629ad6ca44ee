// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/lifeline.hpp — a pipe that sends SIGKILL when its writer is gone.
// Layer 1 (platform). Implements platform/lifeline.hpp.
#pragma once

#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/liveness.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

// Per module that uses the library: each pipe stands for the same process.
struct Lifelines {
    std::atomic<std::uint64_t> mine{0};  // inode << 20 | descriptor of the write end
    Handle followed;                     // the read end of somebody else's

    static Lifelines& instance() noexcept {
        static constinit Lifelines lifelines;
        return lifelines;
    }
    static native_handle descriptor(std::uint64_t lifeline) noexcept {
        return static_cast<native_handle>(lifeline & 0xfffff);
    }
};

// A child has its own life, and must not keep that of its parent.
inline void forget_lifelines() noexcept {
    auto& lifelines = Lifelines::instance();
    if (auto const mine = lifelines.mine.exchange(0)) ::close(Lifelines::descriptor(mine));
    lifelines.followed.reset();
}

inline bool const fork_cuts_lifelines = ::pthread_atfork(nullptr, nullptr, &forget_lifelines) == 0;

inline std::uint64_t lifeline_of(native_handle handle) noexcept {
    struct stat info {};
    if (::fstat(handle, &info) != 0 || !S_ISFIFO(info.st_mode) || handle > 0xfffff) return 0;
    return static_cast<std::uint64_t>(info.st_ino) << 20 | static_cast<std::uint64_t>(handle);
}

}  // namespace detail

inline std::uint64_t lifeline() noexcept {
    auto& mine = detail::Lifelines::instance().mine;
    auto known = mine.load(std::memory_order_acquire);
    if (known != 0) return known;
#if defined(F_SETSIG)
    int ends[2];
    if (!detail::fork_cuts_lifelines || detail::process_handles_missing().load() ||
        ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return 0;
    Handle const reader = detail::own_descriptor(ends[0]);
    Handle writer = detail::own_descriptor(ends[1]);
    auto const made = writer ? detail::lifeline_of(writer.get()) : 0;
    // Another thread may have made one meanwhile.
    if (made == 0 || !mine.compare_exchange_strong(known, made)) return known;
    static_cast<void>(writer.release());
    return made;
#else
    return 0;
#endif
}

inline Handle lifeline_end(std::int64_t pid, std::uint64_t lifeline) noexcept {
    if (lifeline == 0 || detail::process_handles_missing().load()) return Handle();
    auto const descriptor = detail::Lifelines::descriptor(lifeline);
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%lld/fd/%d", static_cast<long long>(pid), descriptor);
    Handle end =
        detail::own_descriptor(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!end || detail::lifeline_of(end.get()) >> 20 != lifeline >> 20) return Handle();
    return end;
}

inline bool follow(Handle end) noexcept {
    auto& followed = detail::Lifelines::instance().followed;
    if (!end) {
        followed.reset();
        return true;
    }
#if defined(F_SETSIG)
    if (::fcntl(end.get(), F_SETSIG, SIGKILL) != 0 ||
        ::fcntl(end.get(), F_SETOWN, ::getpid()) != 0 ||
        ::fcntl(end.get(), F_SETFL, O_NONBLOCK | O_ASYNC) != 0)
        return false;
    pollfd writer{end.get(), POLLIN, 0};
    timespec const at_once{};
    // It may have ended before the system was told to kill us.
    if (::ppoll(&writer, 1, &at_once, nullptr) > 0) ::_exit(1);
    followed = static_cast<Handle&&>(end);
    return true;
#else
    return false;
#endif
}

}  // namespace multiprocessing::platform::inline posix
