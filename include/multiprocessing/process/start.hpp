// SPDX-License-Identifier: MIT
// multiprocessing/process/start.hpp — starts a child by whatever method is its own.
// Layer 5 (process). Mirrors BaseProcess.start and Context._Popen of Lib/multiprocessing.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/popen_fork.hpp>
#include <multiprocessing/popen_forkserver.hpp>
#include <multiprocessing/popen_spawn.hpp>
#include <multiprocessing/process/reap.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/start_method.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace multiprocessing::process {

/// Errors: RuntimeError in a child that runs the program anew and has not come to its task yet: it
/// would start itself for ever.
inline void require_bootstrapped(Table& table) {
    std::lock_guard guard(table.mutex);
    if (table.is_spawned && !table.is_ready)
        throw RuntimeError("a process cannot be started while this one, a child, is still on its "
                           "way to freeze_support(): call multiprocessing::freeze_support() on the "
                           "first line of main, and start no process before main");
}

/// Starts a child whose stage is `starting`. If it cannot be started it is as it was before.
inline void launch(std::shared_ptr<Child> const& child) {
    auto& table = Table::instance();
    try {
        require_bootstrapped(table);
        auto const method = child->method ? *child->method : fix_method();
        reap_finished();
        ensure_children_are_ended();
        if (method == StartMethod::fork) {
            popen_fork::launch(child);
        } else {
            // What was printed before the start stands before what it prints; a fork does the same.
            platform::flush_stdio();
            if (method == StartMethod::spawn) popen_spawn::launch(child);
            else popen_forkserver::launch(child);
        }
    } catch (...) {
        std::lock_guard guard(table.mutex);
        child->stage = Child::Stage::initial;
        throw;
    }
    // Destroyed without the mutex, since the arguments may do anything.
    std::unique_ptr<Target> const sent = [&] {
        std::lock_guard guard(table.mutex);
        return std::move(child->target);
    }();
}

}  // namespace multiprocessing::process
