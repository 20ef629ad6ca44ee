// SPDX-License-Identifier: MIT
// multiprocessing/process/perform.hpp — what a child does that gets its task as a message.
// Layer 5 (process). Mirrors _main of Lib/multiprocessing/spawn.py.
#pragma once

#include <multiprocessing/heap/layout.hpp>
#include <multiprocessing/process/bootstrap.hpp>
#include <multiprocessing/process/preparation.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <utility>

namespace multiprocessing::process {

/// `begin(told, reader)` takes over what the child is told first, and reads what is written between
/// that and the task; then the task runs.
template <class Begin>
void perform(heap::Header& message, Begin&& begin) {
    MessageReader in(message);
    auto& reader = in.reader();
    auto const told = reader.read<Preparation>();
    std::forward<Begin>(begin)(told, reader);
    log_run();
    reduction::load_task(reader).run(reader);
}

}  // namespace multiprocessing::process
