// SPDX-License-Identifier: MIT
// multiprocessing/popen_fork.hpp — starts a child as a copy of this process.
// Layer 5 (process). Mirrors Lib/multiprocessing/popen_fork.py.
#pragma once

#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/process/bootstrap.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/util/fork_guard.hpp>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace multiprocessing::popen_fork {

/// What a forked child does, guards gone. Nothing of the parent's stack may be unwound.
[[noreturn]] inline void run_child(process::Child& child, platform::ProcessIdentity parent,
                                   platform::Handle parent_end,
                                   std::vector<void (*)()> const& after_fork) noexcept {
    auto const code = process::run_target([&] {
        platform::at_exit(&process::leave_forked);
        platform::use_null_stdin();
        if (child.watches_parent) process::ParentWatch::start(parent, std::move(parent_end));
        for (auto const function : after_fork) function();
        process::log_run();
        child.run();
    });
    process::exit_child(code);
}

/// Starts the child. The caller has seen to it that it is started once.
/// Errors: OSError from fork, MemoryError; the child can be started again then.
inline void launch(std::shared_ptr<process::Child> const& child) {
    auto& table = process::Table::instance();
    heap::ChildSlot slot(child->name);
    auto const stamp = slot.stamp();
    auto const me = platform::this_process();
    auto my_end = platform::lifeline_end(me.pid, process::offer_lifeline());
    std::optional<std::vector<void (*)()>> after_fork;
    {
        std::scoped_lock guard(table.mutex);
        util::ForkGuard const util_guard;
        table.children.reserve(table.children.size() + 1);
        auto const forked = heap::fork(slot);
        if (forked.side == platform::ForkSide::child) {
            after_fork = util::reset_after_fork();
            process::become_child(table, child, StartMethod::fork, me);
        } else {
            process::enter_child(table, child, forked.pid, stamp);
        }
    }
    if (after_fork) run_child(*child, me, std::move(my_end), *after_fork);
}

}  // namespace multiprocessing::popen_fork
