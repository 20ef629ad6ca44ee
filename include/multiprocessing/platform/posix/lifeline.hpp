// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/lifeline.hpp — a pipe that sends SIGKILL when its writer is gone.
// Layer 1 (platform). Implements platform/lifeline.hpp.
#pragma once

#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/liveness.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

// "/proc/<pid>/fd/<descriptor>". Not by snprintf, which takes two pages of stack: after a fork both
// have to be copied.
inline std::array<char, 64> path_of_descriptor(std::int64_t pid,
                                               native_handle descriptor) noexcept {
    std::array<char, 64> path{};
    auto* at = path.data();
    auto const add = [&at](std::string_view text) { at = std::ranges::copy(text, at).out; };
    add("/proc/");
    at = std::to_chars(at, path.data() + 32, pid).ptr;
    add("/fd/");
    std::to_chars(at, path.data() + path.size() - 1, descriptor);
    return path;
}

inline std::uint64_t lifeline_of(native_handle handle) noexcept {
    struct stat info {};
    if (::fstat(handle, &info) != 0 || !S_ISFIFO(info.st_mode) || handle > 0xfffff) return 0;
    return static_cast<std::uint64_t>(info.st_ino) << 20 | static_cast<std::uint64_t>(handle);
}

// Per module that uses the library: each pipe stands for the same process. Both as inode << 20 |
// descriptor: a program may have closed one, and have another file under its number.
struct Lifelines {
    std::atomic<std::uint64_t> mine{0};  // the write end
    std::uint64_t followed = 0;          // the read end of somebody else's

    static Lifelines& instance() noexcept {
        static constinit Lifelines lifelines;
        return lifelines;
    }
    static native_handle descriptor(std::uint64_t lifeline) noexcept {
        return static_cast<native_handle>(lifeline & 0xfffff);
    }
    static void close(std::uint64_t lifeline) noexcept {
        auto const handle = descriptor(lifeline);
        if (lifeline != 0 && lifeline_of(handle) == lifeline) ::close(handle);
    }
    void follow(std::uint64_t end) noexcept { close(std::exchange(followed, end)); }
};

// A child has its own life, and must not keep that of its parent.
inline void forget_lifelines() noexcept {
    auto& lifelines = Lifelines::instance();
    Lifelines::close(lifelines.mine.exchange(0));
    lifelines.follow(0);
}

inline bool const fork_cuts_lifelines = ::pthread_atfork(nullptr, nullptr, &forget_lifelines) == 0;

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
    auto const path = detail::path_of_descriptor(pid, descriptor);
    Handle end = detail::own_descriptor(
        ::open(path.data(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!end || detail::lifeline_of(end.get()) >> 20 != lifeline >> 20) return Handle();
    return end;
}

inline bool follow(Handle end) noexcept {
    auto& lifelines = detail::Lifelines::instance();
    if (!end) {
        lifelines.follow(0);
        return true;
    }
#if defined(F_SETSIG)
    auto const control = detail::bound<&::fcntl>;
    if (control(end.get(), F_SETSIG, SIGKILL) != 0 ||
        control(end.get(), F_SETOWN, ::getpid()) != 0 ||
        control(end.get(), F_SETFL, O_NONBLOCK | O_ASYNC) != 0)
        return false;
    pollfd writer{end.get(), POLLIN, 0};
    timespec const at_once{};
    // It may have ended before the system was told to kill us.
    if (detail::bound<&::ppoll>(&writer, 1, &at_once, nullptr) > 0)
        detail::bound<&::_exit>(1);
    lifelines.follow(detail::lifeline_of(end.get()));
    static_cast<void>(end.release());
    return true;
#else
    return false;
#endif
}

}  // namespace multiprocessing::platform::inline posix
