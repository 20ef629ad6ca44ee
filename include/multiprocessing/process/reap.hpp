// SPDX-License-Identifier: MIT
// multiprocessing/process/reap.hpp — how the parent learns that a child ended, and makes it end.
// Layer 5 (process). Mirrors poll, wait and _send_signal of Lib/multiprocessing/popen_fork.py.
#pragma once

#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/serving.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace multiprocessing::process {

/// The exit code of a child whose status somebody else has taken.
inline constexpr int lost_exitcode = 255;

/// What is ready once the child has ended; empty where the system has no such thing. Made when it
/// is first asked for: most children are waited for by their number. The caller has the mutex.
inline std::shared_ptr<platform::Handle> const& sentinel_of(Child& child) {
    if (!child.sentinel)
        child.sentinel = std::make_shared<platform::Handle>(
            child.is_reaped ? platform::ended_handle() : platform::open_process(child.pid));
    return child.sentinel;
}

inline bool has_ended(Child& child) {
    auto const& sentinel = *sentinel_of(child);
    if (!sentinel) return heap::is_dead(child.stamp);
    platform::native_handle const handles[] = {sentinel.get()};
    return !platform::poll_handles(handles, 0).empty();
}

inline std::optional<int> exitcode_of(std::int64_t pid) {
    try {
        return platform::wait_process(pid, 0);
    } catch (OSError const& error) {
        if (error.code() != std::errc::no_child_process) throw;
        return lost_exitcode;
    }
}

/// Whether this process made the object, and may ask and wait for what it stands for.
inline bool is_mine(Child const& child) { return child.creator == heap::my_stamp(); }

/// Reaps the child if it has ended, and clears what it leaves in the heap. The caller has the
/// mutex, so that one thread reaps and all others find the exit code.
inline std::optional<int> poll_locked(Table& table, Child& child) {
    if (child.exitcode || child.stage != Child::Stage::started || !is_mine(child))
        return child.exitcode;
    if (child.cell) {
        if (has_ended(child)) child.exitcode = forkserver::exitcode_of(child.cell);
    } else if (child.waiters != 0) {
        child.exitcode = platform::child_end(child.pid, false);
    } else {
        child.exitcode = exitcode_of(child.pid);
        child.is_reaped = child.exitcode.has_value();
    }
    if (child.exitcode) {
        heap::sweep(child.stamp, true, true);
        if (child.cell) forkserver::give_back(child.cell);
        std::erase_if(table.children, [&](auto const& other) { return other.get() == &child; });
    }
    return child.exitcode;
}

inline std::optional<int> poll(Child& child) {
    auto& table = Table::instance();
    std::lock_guard guard(table.mutex);
    return poll_locked(table, child);
}

/// Sleeps until the handle is ready; without one, for a moment.
inline void sleep_until_ended(platform::Handle const& handle, std::uint64_t nap_ns,
                              Deadline deadline) {
    if (handle) {
        platform::native_handle const handles[] = {handle.get()};
        platform::poll_handles(handles, deadline.remaining_ns());
    } else {
        std::this_thread::sleep_for(std::chrono::nanoseconds(deadline.remaining_ns(nap_ns)));
    }
}

/// Waits in the system for the end of a child that has not been reaped, and gives the mutex away
/// meanwhile: the child keeps its number until the last thread is back.
inline void wait_by_number(Child& child, std::unique_lock<std::mutex>& guard) {
    ++child.waiters;
    guard.unlock();
    static_cast<void>(platform::child_end(child.pid, true));
    guard.lock();
    if (--child.waiters != 0 || !child.exitcode) return;
    child.is_reaped = true;
    exitcode_of(child.pid);
}

/// Waits until a started child ended. Any number of threads may.
inline std::optional<int> wait(Child& child, Deadline deadline) {
    auto& table = Table::instance();
    constexpr std::uint64_t first_nap = 50'000, longest_nap = 5'000'000;
    platform::Handle const none;
    std::unique_lock guard(table.mutex);
    if (platform::has_child_end && !child.exitcode && is_mine(child) && !child.cell &&
        child.stage == Child::Stage::started && deadline.is_never())
        wait_by_number(child, guard);
    for (std::uint64_t nap = first_nap;; nap = std::min(nap * 2, longest_nap)) {
        if (auto const code = poll_locked(table, child)) return code;
        if (deadline.expired()) return std::nullopt;
        auto const sentinel = sentinel_of(child);
        guard.unlock();
        auto const ready = *sentinel && nap > first_nap &&
                           !platform::poll_handles(std::vector{sentinel->get()}, 0).empty();
        // Ready and not to be reaped: its tracer keeps it for a while.
        sleep_until_ended(ready ? none : *sentinel, nap, deadline);
        guard.lock();
    }
}

/// Does `signal(pid)` unless the child has ended: its number is its own until it is reaped.
template <class Signal>
void signal_child(Child& child, Signal signal) {
    auto& table = Table::instance();
    std::lock_guard guard(table.mutex);
    if (!poll_locked(table, child)) signal(child.pid);
}

/// Reaps all children that have ended.
inline void reap_finished() {
    auto& table = Table::instance();
    std::lock_guard guard(table.mutex);
    auto const children = table.children;
    for (auto const& child : children) poll_locked(table, *child);
}

inline std::vector<std::shared_ptr<Child>> living_children() {
    auto& table = Table::instance();
    reap_finished();
    std::lock_guard guard(table.mutex);
    return table.children;
}

}  // namespace multiprocessing::process
