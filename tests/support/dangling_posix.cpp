// SPDX-License-Identifier: MIT
// tests/support/dangling_posix.cpp — the listener: looks before and after every test case.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "support/dangling.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

int cases_with_leftovers = 0;

/// What a process holds that can outlive a test case.
struct Holdings {
    std::set<pid_t> children;
    std::map<std::string, int> descriptors;  // by what they are open on, without the numbers
    std::set<std::string> shared_memory;     // names in /dev/shm
};

/// It stays until this process ends.
bool is_fork_server(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    std::string const text(std::istreambuf_iterator<char>(file), {});
    return text.find("--multiprocessing-forkserver") != text.npos;
}

std::set<pid_t> children() {
    std::set<pid_t> found;
    for (auto const& task : fs::directory_iterator("/proc/self/task")) {
        std::ifstream list(task.path() / "children");
        for (pid_t pid = 0; list >> pid;)
            if (!is_fork_server(pid)) found.insert(pid);
    }
    return found;
}

/// "pipe:[123]" and "pipe:[456]" are one kind, so that an exchange of one pipe for another is no
/// leak.
std::string kind_of(std::string target) {
    std::erase_if(target, [](char c) { return c >= '0' && c <= '9'; });
    return target;
}

std::map<std::string, int> descriptors() {
    std::map<std::string, int> found;
    for (auto const& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code closed;  // the directory's own descriptor is gone when it is asked
        auto const target = fs::read_symlink(entry.path(), closed);
        if (!closed && target.string().find("/proc/") == std::string::npos)
            ++found[kind_of(target.string())];
    }
    return found;
}

std::set<std::string> shared_memory() {
    std::set<std::string> found;
    std::error_code none;
    for (auto const& entry : fs::directory_iterator("/dev/shm", none))
        found.insert(entry.path().filename().string());
    return found;
}

Holdings look() { return {children(), descriptors(), shared_memory()}; }

/// One of each of these is the library's own, made on first use and kept until the process ends.
bool is_kept_for_ever(std::string const& kind) {
    return kind.starts_with("/memfd:") || kind == "pipe:[]" || kind == "anon_inode:[pidfd]" ||
           kind == "anon_inode:[eventfd]" ||
           kind == "anon_inode:[eventpoll]";
}

int count_at_start(std::string const& kind) {
    static auto const at_start = descriptors();
    auto const had = at_start.find(kind);
    return had == at_start.end() ? 0 : had->second;
}

/// The sentences that say what `now` has and `before` had not; empty if all is well.
std::string difference(Holdings const& before, Holdings const& now) {
    std::string text;
    for (pid_t const pid : now.children)
        if (!before.children.contains(pid)) text += "  child process " + std::to_string(pid) + "\n";
    for (auto const& [kind, count] : now.descriptors) {
        auto const had = before.descriptors.find(kind);
        int allowed = had == before.descriptors.end() ? 0 : had->second;
        if (is_kept_for_ever(kind)) allowed = std::max(allowed, count_at_start(kind) + 1);
        if (count > allowed)
            text +=
                "  " + std::to_string(count - allowed) + " more descriptor(s) on " + kind + "\n";
    }
    for (auto const& name : now.shared_memory)
        if (!before.shared_memory.contains(name)) text += "  /dev/shm/" + name + "\n";
    return text;
}

class DanglingListener : public test::ListenerBase {
public:
    using ListenerBase::ListenerBase;

    void testCaseStarting(Catch::TestCaseInfo const& info) override {
        ListenerBase::testCaseStarting(info);
        name_ = info.name;
        count_at_start({});
        before_ = look();
    }

    void testCaseEnded(Catch::TestCaseStats const& stats) override {
        ListenerBase::testCaseEnded(stats);
        // What a background thread or another test program is just clearing away gets its time.
        auto const deadline = std::chrono::steady_clock::now() + 3s;
        Holdings now = look();
        while (!difference(before_, now).empty() && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(10ms);
            now = look();
        }
        auto const text = difference(before_, now);
        if (text.empty()) return;
        ++cases_with_leftovers;
        std::fprintf(stderr, "left over by \"%s\":\n%s", name_.c_str(), text.c_str());
        for (pid_t const pid : now.children) {
            if (before_.children.contains(pid)) continue;
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
    }

private:
    std::string name_;
    Holdings before_;
};

CATCH_REGISTER_LISTENER(DanglingListener)

}  // namespace

int dangling_cases() noexcept { return cases_with_leftovers; }

}  // namespace test
