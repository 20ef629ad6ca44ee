// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/liveness.hpp — kill(pid, 0), /proc/<pid>/stat and pidfd.
// Layer 1 (platform). Implements platform/liveness.hpp.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/posix/detail/mapped_file.hpp>
#include <multiprocessing/platform/posix/detail/procfs.hpp>
#include <multiprocessing/platform/types.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

// The fields of /proc/<pid>/stat that matter here.
struct ProcessStat {
    char state = '?';
    std::uint64_t threads = 0;
    std::uint64_t start_time = 0;  // clock ticks after boot
};

inline std::optional<ProcessStat> parse_stat(std::string_view text) noexcept {
    // The command's name, field 2, may itself contain blanks and parentheses.
    std::size_t const end_of_name = text.rfind(')');
    if (end_of_name == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(end_of_name + 1);
    ProcessStat stat;
    for (int field = 3; field <= 22; ++field) {
        std::string_view const word = next_word(text);
        if (word.empty()) {
            return std::nullopt;
        }
        if (field == 3) {
            stat.state = word.front();
        } else if (field == 20) {
            stat.threads = leading_number(word).value_or(0);
        } else if (field == 22) {
            stat.start_time = leading_number(word).value_or(0);
        }
    }
    return stat;
}

inline std::optional<ProcessStat> read_stat(char const* path) noexcept {
    SmallFile<1024> const file(path);  // 52 numbers; what is cut off lies behind field 22
    return parse_stat(file.text());
}

inline std::optional<ProcessStat> read_stat(std::int64_t pid) noexcept {
    char path[48];
    std::snprintf(path, sizeof path, "/proc/%lld/stat", static_cast<long long>(pid));
    return read_stat(path);
}

constexpr bool is_ended(char state) noexcept {
    return state == 'Z' || state == 'X' || state == 'x';
}

// Whether every thread besides the first is seen to have ended. A thread that cannot be looked at
// may have started another one before it went, so it counts as alive: the caller asks again.
inline bool other_threads_ended(std::int64_t pid) noexcept {
    struct Entry {  // linux_dirent64
        std::uint64_t inode;
        std::int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[1];
    };
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%lld/task", static_cast<long long>(pid));
    int const folder = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return false;
    }
    bool ended = true;
    alignas(Entry) char buffer[2048];
    while (ended) {
        long const got = ::syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (got <= 0) {
            ended = got == 0;
            break;
        }
        for (long at = 0; at < got && ended;) {
            auto const* const entry = reinterpret_cast<Entry const*>(buffer + at);
            char const* const name = buffer + at + offsetof(Entry, name);
            at += entry->length;
            if (name[0] == '.' || leading_number(name) == static_cast<std::uint64_t>(pid)) {
                continue;
            }
            std::snprintf(path, sizeof path, "/proc/%lld/task/%.16s/stat",
                          static_cast<long long>(pid), name);
            std::optional<ProcessStat> const thread = read_stat(path);
            ended = thread && is_ended(thread->state);
        }
    }
    ::close(folder);
    return ended;
}

// pid << 20 | its stamp.
inline std::atomic<std::uint64_t>& known_namespace() noexcept {
    static constinit std::atomic<std::uint64_t> known{0};
    return known;
}
inline void know_namespace(std::uint64_t pid, std::uint64_t stamp) noexcept {
    known_namespace().store(pid << 20 | stamp, std::memory_order_relaxed);
}

// 20 bits that name the pid and time namespaces of this process: a number or start time of another
// one says nothing here. 0 if /proc is missing or numbers processes as another namespace does.
inline std::uint64_t namespace_stamp() noexcept {
    // Only a new process can be in another namespace, so the value is kept per pid.
    auto const pid = static_cast<std::uint64_t>(::getpid());
    // Relaxed: the word is complete in itself, and a thread that misses it computes the same.
    std::uint64_t const known = known_namespace().load(std::memory_order_relaxed);
    if (known >> 20 == pid) {
        return known & 0xfffff;
    }
    char self[24];
    ssize_t const length = ::readlink("/proc/self", self, sizeof self);
    bool const usable =
        length > 0 && leading_number({self, static_cast<std::size_t>(length)}) == pid;
    std::uint64_t hash = multiprocessing::detail::fnv1a_offset;
    for (char const* const name : {"/proc/self/ns/pid", "/proc/self/ns/time"}) {
        struct stat info {};
        std::uint64_t const inode = ::stat(name, &info) == 0 ? info.st_ino : 0;
        hash = multiprocessing::detail::fnv1a(inode, hash);
    }
    std::uint64_t const stamp = usable ? ((hash ^ (hash >> 20) ^ (hash >> 40)) & 0xfffff) | 1 : 0;
    know_namespace(pid, stamp);
    return stamp;
}

inline constexpr std::uint64_t start_ticks_mask = (std::uint64_t{1} << 44) - 1;

inline std::uint64_t start_stamp(std::uint64_t ticks) noexcept {
    return namespace_stamp() << 44 | (ticks & start_ticks_mask);
}

inline bool is_absent(std::int64_t pid) noexcept {
    return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

inline std::atomic<bool>& process_handles_missing() noexcept {
    static std::atomic<bool> missing{false};
    return missing;
}

}  // namespace detail

inline ProcessIdentity identity_of(std::int64_t pid) noexcept {
    if (detail::namespace_stamp() == 0) {
        return {pid, 0};
    }
    std::optional<detail::ProcessStat> const stat = detail::read_stat(pid);
    return {pid, stat ? detail::start_stamp(stat->start_time) : 0};
}

namespace detail {

// Of the process itself, which finds it out once.
struct OwnIdentity {
    std::atomic<std::int64_t> pid{0};
    std::atomic<std::uint64_t> start_time{0};

    static OwnIdentity& instance() noexcept {
        static constinit OwnIdentity identity;
        return identity;
    }
    void set(ProcessIdentity identity) noexcept {
        start_time.store(identity.start_time, std::memory_order_relaxed);
        pid.store(identity.pid, std::memory_order_release);  // publishes the other
    }
};

// What the kernel counts a process's start in.
inline std::uint64_t ticks_since_boot() noexcept {
    static std::uint64_t const per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    timespec now{};
    if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
    return static_cast<std::uint64_t>(now.tv_sec) * per_second +
           static_cast<std::uint64_t>(now.tv_nsec) / (1'000'000'000 / per_second);
}

// Before a fork: what tells the child its identity without a look at /proc, which takes longer than
// all else that a child begins with.
struct ForkMoment {
    std::int64_t parent = ::getpid();
    std::int64_t grandparent = ::getppid();  // asked here too, so that the name is known
    std::uint64_t space = namespace_stamp();
    std::uint64_t ticks = ticks_since_boot();

    // In the child. It started between two looks at the clock; where these differ, it has to ask.
    // A parent with its number in view is in the same namespace of pids.
    void tell_child() const noexcept {
        auto const me = ::getpid();
        if (space == 0 || ticks == 0 || ::getppid() != parent || ticks_since_boot() != ticks)
            return;
        know_namespace(static_cast<std::uint64_t>(me), space);
        OwnIdentity::instance().set({me, space << 44 | (ticks & start_ticks_mask)});
    }
};

}  // namespace detail

inline ProcessIdentity this_process() noexcept {
    auto& own = detail::OwnIdentity::instance();
    std::int64_t const pid = ::getpid();
    if (own.pid.load(std::memory_order_acquire) != pid) {
        auto const identity = identity_of(pid);
        if (identity.start_time == 0) return identity;
        own.set(identity);
    }
    return {pid, own.start_time.load(std::memory_order_relaxed)};
}

inline Liveness liveness(ProcessIdentity identity) noexcept {
    if (identity.pid <= 0) {
        return Liveness::alive;  // nobody's number: kill would ask about a group
    }
    std::uint64_t const space = detail::namespace_stamp();
    if (identity.start_time != 0 && identity.start_time >> 44 != space) {
        return Liveness::alive;
    }
    if (detail::is_absent(identity.pid)) {
        return Liveness::dead;
    }
    if (space == 0) {
        return Liveness::alive;
    }
    std::optional<detail::ProcessStat> const stat = detail::read_stat(identity.pid);
    if (!stat) {  // it went just now, or /proc hides it
        return detail::is_absent(identity.pid) ? Liveness::dead : Liveness::alive;
    }
    if (identity.start_time != 0 && detail::start_stamp(stat->start_time) != identity.start_time) {
        return Liveness::dead;
    }
    if (!detail::is_ended(stat->state)) {
        return Liveness::alive;
    }
    // A zombie that is its only thread stays so. More may be threads that a tracer has not reaped;
    // none is a first thread that is being replaced by one that called exec.
    bool const ended = stat->threads == 1 || detail::other_threads_ended(identity.pid);
    return ended ? Liveness::dead : Liveness::alive;
}

inline bool left_memory(ProcessIdentity identity, native_handle there,
                        native_handle memory) noexcept {
    struct stat wanted {};
    bool const can_ask = identity.pid > 0 && identity.start_time != 0 &&
                         identity.start_time >> 44 == detail::namespace_stamp() &&
                         ::fstat(memory, &wanted) == 0;
    return can_ask && detail::has_left_file(identity.pid, there, wanted);
}

inline void simulate_missing_process_handles(bool missing) noexcept {
    detail::process_handles_missing().store(missing, std::memory_order_relaxed);
}

inline Handle open_process(std::int64_t pid) {
#if defined(SYS_pidfd_open)
    if (!detail::process_handles_missing().load(std::memory_order_relaxed)) {
        // Close-on-exec by definition. Any refusal is an empty handle: liveness works without.
        return detail::own_descriptor(
            static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
    }
#endif
    static_cast<void>(pid);
    return Handle();
}

}  // namespace multiprocessing::platform::inline posix
