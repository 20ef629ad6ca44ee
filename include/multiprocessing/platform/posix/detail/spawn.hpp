// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/spawn.hpp — posix_spawn with a list of handles.
// Layer 1 (platform). Helper of platform/posix.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/posix/detail/procfs.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix::detail {

// Owns what posix_spawn wants to be told.
class SpawnPlan {
public:
    SpawnPlan() {
        check(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
        if (int const error = ::posix_spawnattr_init(&attributes_); error != 0) {
            ::posix_spawn_file_actions_destroy(&actions_);
            throw_system_error(error, "posix_spawnattr_init");
        }
    }
    SpawnPlan(SpawnPlan const&) = delete;
    SpawnPlan& operator=(SpawnPlan const&) = delete;
    ~SpawnPlan() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }

    // Duplicating onto itself clears close-on-exec, and only in the child.
    void keep(native_handle handle) {
        check(::posix_spawn_file_actions_adddup2(&actions_, handle, handle),
              "posix_spawn_file_actions_adddup2");
    }

    void close(native_handle handle) {
        check(::posix_spawn_file_actions_addclose(&actions_, handle),
              "posix_spawn_file_actions_addclose");
    }

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
    void close_from(native_handle first) {
        check(::posix_spawn_file_actions_addclosefrom_np(&actions_, first),
              "posix_spawn_file_actions_addclosefrom_np");
    }
#endif

    // The thread that starts a process may block signals that the program must hear.
    void unblock_signals() {
        sigset_t none;
        ::sigemptyset(&none);
        check(::posix_spawnattr_setsigmask(&attributes_, &none), "posix_spawnattr_setsigmask");
        check(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK),
              "posix_spawnattr_setflags");
    }

    std::int64_t run(std::string const& program, char* const* arguments) {
        pid_t pid = 0;
        if (int const error =
                ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments, ::environ);
            error != 0) {
            throw_system_error(error, "posix_spawn", program);
        }
        return pid;
    }

private:
    static void check(int error, char const* call) {
        if (error != 0) {
            throw_system_error(error, call);
        }
    }

    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

inline bool survives_exec(native_handle handle) noexcept {
    int const flags = ::fcntl(handle, F_GETFD);
    return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)

// Whatever the program, not this library, would leave open is closed: in the child and unseen above
// the highest that it keeps, so that no folder of descriptors has to be read.
inline void close_others(SpawnPlan& plan, std::span<native_handle const> inherited) {
    native_handle highest = STDERR_FILENO;
    for (native_handle const handle : inherited) highest = std::max(highest, handle);
    for (native_handle at = STDERR_FILENO + 1; at < highest; ++at)
        if (std::ranges::find(inherited, at) == inherited.end() && survives_exec(at))
            plan.close(at);
    plan.close_from(highest + 1);
}

#else

inline void close_others(SpawnPlan& plan, std::span<native_handle const> inherited) {
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return;
    std::vector<native_handle> leaks;
    while (dirent const* const entry = ::readdir(folder)) {
        std::optional<std::uint64_t> const number = leading_number(entry->d_name);
        if (!number || *number <= STDERR_FILENO) continue;
        auto const handle = static_cast<native_handle>(*number);
        if (std::ranges::find(inherited, handle) == inherited.end() && survives_exec(handle))
            leaks.push_back(handle);
    }
    ::closedir(folder);
    for (native_handle const handle : leaks) plan.close(handle);
}

#endif

inline std::int64_t spawn(std::string const& program, std::vector<std::string> const& arguments,
                          std::span<native_handle const> inherited) {
    SpawnPlan plan;
    for (native_handle const handle : inherited) {
        plan.keep(handle);
    }
    close_others(plan, inherited);
    plan.unblock_signals();
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (std::string const& argument : arguments) {
        pointers.push_back(
            const_cast<char*>(argument.c_str()));  // posix_spawn does not write there
    }
    pointers.push_back(nullptr);
    return plan.run(program, pointers.data());
}

}  // namespace multiprocessing::platform::inline posix::detail
