// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/system.hpp — /proc/self, affinity, control groups, getrandom.
// Layer 1 (platform). Implements platform/system.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/posix/detail/cgroup.hpp>
#include <multiprocessing/platform/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline int cpu_count() { return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))); }

namespace detail {

// How many processors this thread may run on; the set grows until the kernel's fits.
inline int affinity_count() {
    for (std::size_t processors = 1024; processors <= std::size_t{1} << 20; processors *= 2) {
        struct Free {
            void operator()(cpu_set_t* set) const noexcept { CPU_FREE(set); }
        };
        std::unique_ptr<cpu_set_t, Free> const set(CPU_ALLOC(processors));
        std::size_t const bytes = CPU_ALLOC_SIZE(processors);
        if (set && ::sched_getaffinity(0, bytes, set.get()) == 0) {
            return CPU_COUNT_S(bytes, set.get());
        }
        if (errno != EINVAL) {
            break;
        }
    }
    return cpu_count();
}

}  // namespace detail

inline int process_cpu_count() {
    auto const allowed = static_cast<std::uint64_t>(std::max(1, detail::affinity_count()));
    std::uint64_t const quota =
        detail::cgroup_cpu_quota(detail::find_cgroup_folders("cpu", "cpu.max", "cpu.cfs_quota_us"));
    return static_cast<int>(std::min(allowed, std::max<std::uint64_t>(quota, 1)));
}

inline std::string executable_path() {
    char const* const self = "/proc/self/exe";
    std::string path(256, '\0');
    for (;;) {
        ssize_t const length = ::readlink(self, path.data(), path.size());
        if (length < 0) {
            throw_last_error("readlink", self);
        }
        if (static_cast<std::size_t>(length) < path.size()) {
            path.resize(static_cast<std::size_t>(length));
            break;
        }
        path.resize(path.size() * 2);
    }
    // A rebuild may have put another program there: its functions would stand elsewhere.
    struct stat named {};
    struct stat running {};
    bool const same = ::stat(path.c_str(), &named) == 0 && ::stat(self, &running) == 0 &&
                      named.st_dev == running.st_dev && named.st_ino == running.st_ino;
    return same ? path : self;
}

inline std::vector<std::string> program_arguments() {
    char const* const path = "/proc/self/cmdline";
    Handle const file = detail::own_descriptor(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file) {
        throw_last_error("open", path);
    }
    std::string text;
    std::byte buffer[4096];
    while (std::size_t const got = read_some(file.get(), buffer)) {
        text.append(reinterpret_cast<char const*>(buffer), got);
    }
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t const end = std::min(text.find('\0', at), text.size());
        arguments.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return arguments;
}

inline std::string working_directory() {
    std::string path(256, '\0');
    while (::getcwd(path.data(), path.size()) == nullptr) {
        if (errno != ERANGE) {
            throw_last_error("getcwd");
        }
        path.resize(path.size() * 2);
    }
    path.resize(path.find('\0'));
    return path;
}

inline void change_directory(std::string const& path) {
    if (::chdir(path.c_str()) != 0) {
        throw_last_error("chdir", path);
    }
}

inline bool secure_mode() noexcept { return ::getauxval(AT_SECURE) != 0; }

inline void random_bytes(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        ssize_t const got = ::getrandom(bytes.data(), bytes.size(), 0);
        if (got >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(got));
        } else if (errno != EINTR) {
            throw_last_error("getrandom");
        }
    }
}

inline bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }

inline std::optional<std::string> environment(char const* name) {
    char const* const value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace multiprocessing::platform::inline posix
