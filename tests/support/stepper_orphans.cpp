// SPDX-License-Identifier: MIT
// tests/support/stepper_orphans.cpp — finds new children in /proc.
#include "support/stepper_orphans.hpp"

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)

#include "support/stepper_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include <dirent.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace test::stepper {
namespace {

// Children of all threads of this process, zombies included. Empty where the kernel has no such
// list.
std::vector<pid_t> children() {
    std::vector<pid_t> found;
    if (DIR* const tasks = ::opendir("/proc/self/task")) {
        while (dirent const* const task = ::readdir(tasks)) {
            std::ifstream list(fmt::format("/proc/self/task/{}/children", task->d_name));
            std::copy(std::istream_iterator<pid_t>(list), {}, std::back_inserter(found));
        }
        ::closedir(tasks);
    }
    return found;
}

}  // namespace

OrphanHome::OrphanHome() : before_(children()) {
    ::prctl(PR_GET_CHILD_SUBREAPER, &was_);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

OrphanHome::~OrphanHome() {
    collect(std::chrono::seconds(0));
    ::prctl(PR_SET_CHILD_SUBREAPER, was_);
}

std::size_t OrphanHome::collect(std::chrono::milliseconds patience) {
    std::int64_t const deadline = now_ns() + patience.count() * 1'000'000;
    std::size_t killed = 0;
    for (pid_t const child : children()) {
        if (std::find(before_.begin(), before_.end(), child) != before_.end()) {
            continue;
        }
        int status = 0;
        while (::waitpid(child, &status, WNOHANG | __WALL) == 0) {
            if (now_ns() >= deadline) {
                ::kill(child, SIGKILL);
                ::waitpid(child, &status, __WALL);
                ++killed;
                break;
            }
            ::poll(nullptr, 0, 1);
        }
    }
    return killed;
}

}  // namespace test::stepper

#endif
