// SPDX-License-Identifier: MIT
// multiprocessing/process/reap.hpp — how the parent learns that a child ended, and makes it end.
// Layer 5 (process). Mirrors poll, wait and _send_signal of Lib/multiprocessing/popen_fork.py.
#pragma once

#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
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

inline bool has_ended(Child const& child) {
    if (!child.sentinel || !*child.sentinel) return heap::is_dead(child.stamp);
    platform::native_handle const handles[] = {child.sentinel->get()};
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
    if (!child.cell) child.exitcode = exitcode_of(child.pid);
    else if (has_ended(child)) child.exitcode = forkserver::exitcode_of(child.cell);
    if (child.exitcode) {
        heap::sweep(child.stamp, true);
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

/// Waits until a started child ended. Any number of threads may.
inline std::optional<int> wait(Child& child, Deadline deadline) {
    auto& table = Table::instance();
    constexpr std::uint64_t longest_nap = 5'000'000;
    platform::Handle const none;
    for (std::uint64_t nap = 50'000;; nap = std::min(nap * 2, longest_nap)) {
        std::shared_ptr<platform::Handle> sentinel;
        {
            std::lock_guard guard(table.mutex);
            if (auto const code = poll_locked(table, child)) return code;
            sentinel = child.sentinel;
        }
        if (deadline.expired()) return std::nullopt;
        auto const ready = sentinel && *sentinel && nap > 50'000 &&
                           !platform::poll_handles(std::vector{sentinel->get()}, 0).empty();
        // Ready and not to be reaped: its tracer keeps it for a while.
        sleep_until_ended(ready || !sentinel ? none : *sentinel, nap, deadline);
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
