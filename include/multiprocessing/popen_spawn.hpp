// SPDX-License-Identifier: MIT
// multiprocessing/popen_spawn.hpp — starts a child by running the program anew.
// Layer 5 (process). Mirrors Lib/multiprocessing/popen_spawn_posix.py and popen_spawn_win32.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/heap/inheritance.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/process/bootstrap.hpp>
#include <multiprocessing/process/preparation.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/reduction/message.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing::popen_spawn {

/// The new program must know that it is a child before it does anything else.
/// Errors: RuntimeError if main has not called freeze_support().
inline void require_freeze_support(process::Table& table) {
    std::lock_guard guard(table.mutex);
    if (!table.is_ready)
        throw RuntimeError("a process cannot be started by spawn or forkserver before main has "
                           "called freeze_support(): call multiprocessing::freeze_support() on "
                           "the first line of main");
}

/// Errors: RuntimeError where the program has closed what its children inherit.
inline void require_open_memory() {
    if (!heap::State::instance().arena.memory().is_open())
        throw RuntimeError("no program can be started: this one has closed the descriptor of the "
                           "memory that it shares with its children; only fork can start them now");
}

/// The child's command line; `slot` is its own.
inline std::vector<std::string> command_line(std::string const& program, heap::SlotStamp slot,
                                             bool serves = false) {
    require_open_memory();
    auto& arena = heap::State::instance().arena;
    heap::Inheritance const inheritance{arena.memory().handle(), arena.memory().reserved(),
                                        arena.header().id, slot.slot, slot.generation, serves};
    auto arguments = inheritance.arguments();
    arguments.insert(arguments.begin(), program);
    return arguments;
}

/// Starts the child. The caller has seen to it that it is started once.
/// Errors: RuntimeError without freeze_support; PicklingError; OSError if the program cannot run.
inline void launch(std::shared_ptr<process::Child> const& child) {
    auto& table = process::Table::instance();
    require_freeze_support(table);
    require_open_memory();
    HeapCourier courier;
    Writer writer(&courier);
    std::string program;
    {
        std::lock_guard guard(table.mutex);
        writer.write(process::prepare(table, *child, StartMethod::spawn));
        program = table.executable ? *table.executable : platform::executable_path();
    }
    child->dump(writer);

    process::offer_lifeline();
    heap::ChildSlot slot(child->name);
    slot.leave(to_message(writer, courier));
    auto const arguments = command_line(program, slot.stamp());
    platform::native_handle const inherited[] = {heap::State::instance().arena.memory().handle()};

    std::lock_guard guard(table.mutex);
    table.children.reserve(table.children.size() + 1);
    auto const pid = platform::spawn_process(program, arguments, inherited);
    process::enter_child(table, child, pid, slot.started());
}

}  // namespace multiprocessing::popen_spawn
