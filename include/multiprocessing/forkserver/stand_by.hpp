// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/stand_by.hpp — a child forked ahead: it sleeps until it gets a task.
// Layer 5 (forkserver). Mirrors _serve_one of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/cell.hpp>
#include <multiprocessing/forkserver/rehearsal.hpp>
#include <multiprocessing/platform/lifeline.hpp>
#include <multiprocessing/platform/serving.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/process/bootstrap.hpp>
#include <multiprocessing/process/perform.hpp>
#include <multiprocessing/process/preparation.hpp>

#include <cstdlib>
#include <limits>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing::forkserver {

/// Lives in the child only. Everything that can be done before there is a task is done before.
class StandBy {
public:
    StandBy(CellRef mine, std::int64_t server_pid, Rehearsal const& rehearsal)
        : cell_(mine), server_pid_(server_pid), rehearsal_(rehearsal) {}

    /// Guards of the server are gone. Nothing of its stack may be unwound.
    [[noreturn]] void run(platform::Handle server_end,
                          std::vector<void (*)()> const& after_fork) noexcept {
        platform::end_serving();
        auto const code = process::run_target([&] {
            follows_ = platform::follow(std::move(server_end));
            platform::at_exit(&process::leave_forked);
            process::ensure_children_are_ended();
            for (auto const function : after_fork) function();
            told_cell() = cell_;
            {
                auto& table = process::Table::instance();
                std::lock_guard guard(table.mutex);
                table.leaving = &tell;
            }
            rehearsal_.in_child();
            park();
            auto const task = take_task();
            auto const begin = [this](process::Preparation const& told, Reader& reader) {
                enter(told);
                rehearsal_.change_directory(reader.read<std::string>());
            };
            process::perform(task.header(), begin);
        });
        process::exit_child(code);
    }

private:
    void park() {
        static_cast<void>(heap::ledger());  // this thread's record
        auto& cell = *cell_;
        cell.pid.store(static_cast<std::uint64_t>(platform::process_id()));
        auto seen = cell.state.load();
        if (CellWord::phase(seen) != CellWord::forking ||
            !cell.state.compare_exchange_strong(seen, CellWord::with(seen, CellWord::parked)))
            platform::exit_process(1);  // the server has given up on us
        board().ready.fetch_add(1, std::memory_order_relaxed);
        board().hint.store(cell_.index(), std::memory_order_relaxed);
        board().parked.notify_one();
        // The system ends us together with the server; where it cannot, we look.
        constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
        for (;;) {
            auto const armed = cell.bell.arm();
            if (CellWord::phase(cell.state.load()) == CellWord::handed) return;
            cell.bell.sleep(armed, follows_ ? forever : 100'000'000);
            if (!follows_ && platform::parent_process_id() != server_pid_)
                platform::exit_process(1);
        }
    }

    /// Dropped when the target has returned: the queues and pipes in it are this process's alone.
    heap::Hand take_task() {
        auto& cell = *cell_;
        auto seen = cell.state.load();
        if (CellWord::phase(seen) != CellWord::handed ||
            !cell.state.compare_exchange_strong(seen, CellWord::with(seen, CellWord::running)))
            platform::exit_process(1);
        client_ = CellWord::who(seen);
        auto task = heap::Hand::take(cell.task);
        cell.task.store(0, std::memory_order_release);
        return task;
    }

    /// From the server's child to the client's.
    void enter(process::Preparation const& told) {
        auto& slot = heap::State::instance().my_slot();
        auto const& client = heap::slot_of(client_);
        platform::ProcessIdentity const parent{static_cast<std::int64_t>(client.pid.load()),
                                               client.start_time.load()};
        auto end = platform::lifeline_end(parent.pid, client.notes.load());
        if (!heap::is_current(client_)) platform::exit_process(1);
        slot.parent_pid.store(static_cast<std::uint64_t>(parent.pid));
        slot.parent_start_time.store(parent.start_time);
        heap::slots::set_name(slot, told.name);
        process::take_over(told);
        if (!end || !told.watches_parent) platform::follow({});
        if (told.watches_parent) process::ParentWatch::start(parent, std::move(end));
    }

    static CellRef& told_cell() {
        static constinit CellRef ref;
        return ref;
    }
    /// The last thing this process does: whoever waits need not wait for the server too.
    static void tell(int code) {
        auto const ref = told_cell();
        if (ref->child.load() == heap::my_stamp().bits())
            ref->outcome.store(Outcome::of(code & 0xff, Outcome::told), std::memory_order_release);
    }

    CellRef cell_;
    std::int64_t server_pid_;
    heap::SlotStamp client_;
    Rehearsal const& rehearsal_;
    bool follows_ = false;
};

}  // namespace multiprocessing::forkserver
