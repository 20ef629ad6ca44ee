// SPDX-License-Identifier: MIT
// multiprocessing/process/bootstrap.hpp — a child's life, from its first step to its exit.
// Layer 5 (process). Mirrors BaseProcess._bootstrap of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/platform/exit.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/process/parent_watch.hpp>
#include <multiprocessing/process/reap.hpp>
#include <multiprocessing/process/report.hpp>
#include <multiprocessing/process/system_exit.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/util/finalize.hpp>
#include <multiprocessing/util/fork_guard.hpp>
#include <multiprocessing/util/log.hpp>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

namespace multiprocessing::process {

/// The process layer's part of the exit: daemons are ended, all others are waited for.
inline void end_children() {
    for (auto const& child : living_children()) {
        if (!child->daemon) continue;
        util::info("calling terminate() for daemon {}", child->name);
        signal_child(*child, platform::terminate_process);
    }
    for (auto children = living_children(); !children.empty(); children = living_children())
        for (auto const& child : children) {
            util::info("calling join() for process {}", child->name);
            wait(*child, Deadline());
        }
}

/// From now on the exit of this process waits for its children.
inline void ensure_children_are_ended() {
    {
        auto& state = util::ExitState::instance();
        std::lock_guard guard(state.mutex);
        state.end_children = &end_children;
    }
    util::ensure_exit_hook();
}

/// What a child logs once it is ready to run its target.
inline void log_run() { util::info("child process calling self.run()"); }

/// Runs what this process was made for. Returns its exit code.
template <class Run>
int run_target(Run&& run) noexcept {
    try {
        std::forward<Run>(run)();
        return 0;
    } catch (SystemExit const& exit) {
        if (!exit.text().empty()) print_error(exit.text() + '\n');
        return exit.code();
    } catch (...) {
        report_current_exception();
    }
    return 1;
}

/// A forked child may call exit(), or come to its end here. It does its own work, then it leaves
/// before anything that its parent had registered can run.
inline void leave_forked(int code) {
    if (heap::State::instance().foreign) return;  // forked once more, by somebody else
    util::run_exit_work();
    util::info("process exiting with exitcode {}", code);
    platform::flush_stdio();
    if (auto const leaving = Table::instance().leaving) leaving(code);
    platform::exit_process(code);
}

/// The end of a forked child. Bound when the program is loaded: no parent calls it, so each child
/// would have to look its name up.
[[noreturn]] inline void exit_child(int code) {
    static constinit auto* const volatile bound = &std::exit;
    bound(code);
    platform::exit_process(code);
}

/// The parent notes a child that runs. The caller has the mutex, and room in `children`.
inline void enter_child(Table& table, std::shared_ptr<Child> const& child, std::int64_t pid,
                        heap::SlotStamp stamp) {
    child->pid = pid;
    child->stamp = stamp;
    child->stage = Child::Stage::started;
    if constexpr (!platform::has_child_end) static_cast<void>(sentinel_of(*child));
    table.children.push_back(child);
}

/// The child of a fork becomes a process of its own. The caller has all guards.
inline void become_child(Table& table, std::shared_ptr<Child> child, StartMethod method,
                         platform::ProcessIdentity parent) {
    for (auto const& sibling : table.children)
        if (sibling->sentinel) sibling->sentinel->reset();
    table.children.clear();
    table.made = 0;
    table.parent.emplace(Parent{parent, std::nullopt});
    table.method = method;
    table.is_spawned = false;
    child->stage = Child::Stage::started;
    child->stamp = heap::my_stamp();
    child->pid = platform::process_id();
    table.former = std::exchange(table.current, std::move(child));
}

}  // namespace multiprocessing::process
