// SPDX-License-Identifier: MIT
// tests/support/dangling_win32.cpp — the listener: looks before and after every test case.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "support/dangling.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdio>
#include <set>
#include <string>
#include <thread>

#include <windows.h>

#include <tlhelp32.h>

namespace test {
namespace {

using namespace std::chrono_literals;

int cases_with_leftovers = 0;

/// What a process holds that can outlive a test case.
struct Holdings {
    std::set<DWORD> children;
    DWORD handles = 0;
};

std::set<DWORD> children() {
    std::set<DWORD> found;
    HANDLE const list = ::CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry{};
    entry.dwSize = sizeof entry;
    for (BOOL more = ::Process32FirstW(list, &entry); more; more = ::Process32NextW(list, &entry))
        if (entry.th32ParentProcessID == ::GetCurrentProcessId()) found.insert(entry.th32ProcessID);
    ::CloseHandle(list);
    return found;
}

Holdings look() {
    Holdings now{children(), 0};
    ::GetProcessHandleCount(::GetCurrentProcess(), &now.handles);
    return now;
}

/// What the system's and the compiler's libraries and ours make once on first use, in any case.
constexpr DWORD kept_for_ever = 12;

/// The sentences that say what `now` has and `before` had not; empty if all is well.
std::string difference(Holdings const& before, Holdings const& now) {
    std::string text;
    for (DWORD const pid : now.children)
        if (!before.children.contains(pid)) text += "  child process " + std::to_string(pid) + "\n";
    if (now.handles > before.handles + kept_for_ever)
        text += "  " + std::to_string(now.handles - before.handles) + " more handles\n";
    return text;
}

class DanglingListener : public test::ListenerBase {
public:
    using ListenerBase::ListenerBase;

    void testCaseStarting(Catch::TestCaseInfo const& info) override {
        ListenerBase::testCaseStarting(info);
        name_ = info.name;
        before_ = look();
    }

    void testCaseEnded(Catch::TestCaseStats const& stats) override {
        ListenerBase::testCaseEnded(stats);
        // What a background thread is just clearing away gets its time.
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
        for (DWORD const pid : now.children) {
            if (before_.children.contains(pid)) continue;
            HANDLE const child = ::OpenProcess(PROCESS_TERMINATE, FALSE, pid);
            ::TerminateProcess(child, 1);
            ::CloseHandle(child);
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
