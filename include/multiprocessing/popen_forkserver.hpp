// SPDX-License-Identifier: MIT
// multiprocessing/popen_forkserver.hpp — starts a child by handing its task to one that waits.
// Layer 5 (popen_forkserver). Mirrors Lib/multiprocessing/popen_forkserver.py.
#pragma once

#include <multiprocessing/forkserver/client.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace multiprocessing::popen_forkserver {

/// After the hand-over: whether the child was dead before it took the task. Opens the sentinel.
inline bool was_lost(forkserver::CellRef handed, platform::Handle& sentinel) {
    auto const pid = static_cast<std::int64_t>(handed->pid.load());
    sentinel = platform::open_process(pid);
    // Nobody else had the number as long as the server had not reaped the child.
    auto const reaped = (handed->outcome.load() & forkserver::Outcome::reaped) != 0;
    if (reaped) sentinel = platform::ended_handle();  // what was opened may be another's
    auto const ended =
        reaped ||
        (sentinel && !platform::poll_handles(std::vector{sentinel.get()}, 0).empty());
    if (!ended && sentinel) return false;
    if (!ended && !heap::is_dead(heap::SlotStamp::from(handed->child.load()))) return false;
    return forkserver::try_revoke(handed);
}

/// Starts the child. The caller has seen to it that it is started once.
/// Errors: RuntimeError without freeze_support; PicklingError; what the server ends of; OSError.
inline void launch(std::shared_ptr<process::Child> const& child) {
    auto& table = process::Table::instance();
    popen_spawn::require_freeze_support(table);
    HeapCourier courier;
    Writer writer(&courier);
    {
        std::lock_guard guard(table.mutex);
        writer.write(process::prepare(table, *child, StartMethod::forkserver));
    }
    writer.write(forkserver::current_directory());
    child->dump(writer);
    process::offer_lifeline();

    auto sentinel = std::make_shared<platform::Handle>();
    for (;;) {
        auto message = to_message(writer, courier);
        auto const cell = forkserver::claim();
        std::lock_guard guard(table.mutex);
        if (forkserver::is_doomed(cell)) {
            forkserver::abandon(cell);
            continue;
        }
        table.children.reserve(table.children.size() + 1);
        auto const stamp = heap::SlotStamp::from(cell->child.load());
        forkserver::hand_over(cell, std::move(message));
        forkserver::ring_server_if_last();
        if (was_lost(cell, *sentinel)) {
            heap::sweep(stamp, true);
            forkserver::give_back(cell);
            continue;
        }
        child->cell = cell;
        child->sentinel = std::move(sentinel);
        process::enter_child(table, child, static_cast<std::int64_t>(cell->pid.load()), stamp);
        return;
    }
}

}  // namespace multiprocessing::popen_forkserver
