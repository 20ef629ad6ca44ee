// SPDX-License-Identifier: MIT
// multiprocessing/spawn.hpp — lets a program be its own child.
// Layer 5 (process). Mirrors Lib/multiprocessing/spawn.py.
#pragma once

#include <multiprocessing/forkserver/server.hpp>
#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/process/bootstrap.hpp>
#include <multiprocessing/process/perform.hpp>
#include <multiprocessing/process/preparation.hpp>
#include <multiprocessing/process/table.hpp>

#include <cstdlib>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace multiprocessing {

namespace spawn {

/// What the parent has left for this process, which alone may take it.
inline heap::Hand take_inbox() {
    auto& inbox = heap::State::instance().my_slot().inbox;
    auto hand = heap::Hand::take(inbox);
    inbox.store(0, std::memory_order_release);
    if (!hand) throw RuntimeError("the parent of this process has left no task for it");
    return hand;
}

/// Reads the message and runs what it says.
inline int run_child() noexcept {
    return process::run_target([] {
        platform::end_at_faults();
        auto const message = take_inbox();
        process::perform(message.header(), [](process::Preparation const& told, Reader&) {
            process::take_over(told);
            process::ensure_children_are_ended();
            if (told.watches_parent) process::watch_parent();
            platform::use_null_stdin();
        });
    });
}

}  // namespace spawn

/// Must be called on the first line of main in a program that starts children by another method
/// than fork: such a child runs the program anew, and here it is recognised, does its task and
/// exits. In any other process it only notes that it was called, and fixes no start method.
///
/// Errors: in a child none: what goes wrong is reported on stderr, and the exit code is 1.
/// Python: `multiprocessing.freeze_support()`.
/// Differs: needed on every system, not only for frozen programs on Windows.
inline void freeze_support() {
    auto& table = process::Table::instance();
    {
        std::lock_guard guard(table.mutex);
        auto const is_child = table.is_spawned && !table.is_ready;
        table.is_ready = table.is_ready || !is_child;
        if (!is_child) return;
    }
    bool const serves = heap::State::instance().inheritance->serves;
    auto const code = serves ? forkserver::serve() : spawn::run_child();
    util::run_exit_work();
    util::info("process exiting with exitcode {}", code);
    std::exit(code);
}

/// The program that children run; by default this one. It must call freeze_support() too, and be
/// the same build, or the child ends with an error.
/// Python: `multiprocessing.set_executable(path)`.
inline void set_executable(std::optional<std::string> path) {
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    table.executable = std::move(path);
}

/// The same for a std::filesystem::path.
template <class Path>
    requires requires(Path const& path) { path.u8string(); }
void set_executable(Path const& path) {
    auto const text = path.u8string();
    set_executable(std::string(text.begin(), text.end()));
}

}  // namespace multiprocessing
