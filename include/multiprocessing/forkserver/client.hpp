// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/client.hpp — gets a stand-by child, and a server where there is none.
// Layer 5 (forkserver). Mirrors class ForkServer of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/server.hpp>
#include <multiprocessing/popen_spawn.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace multiprocessing::forkserver {

/// What this process would tell a server, and the one that it has launched. All of it, and the
/// functions here, under the mutex of process::Table.
struct Launcher {
    ServerOrder order;
    heap::SlotStamp owner;  // who launched: after a fork it is no child of this process
    std::int64_t pid = 0;   // 0: none, or it was reaped
    heap::SlotStamp stamp;
    bool stops_at_exit = false;
    heap::SlotStamp watched;    // a server that was alive, and what tells that it is not any more
    platform::Handle watched_end;

    static Launcher& instance() { return util::anchored<util::Anchored::forkserver, Launcher>(); }
};

inline bool is_serving() {
    auto const server = heap::SlotStamp::from(board().server.load());
    return server && !heap::is_dead(server);
}

/// Reaps a server of ours that has ended.
/// Errors: RuntimeError where another one would end the same way.
inline void reap_server(Launcher& mine) {
    if (mine.pid == 0 || mine.owner != heap::my_stamp()) return;
    auto const code = process::exitcode_of(mine.pid);
    if (!code) return;
    mine.pid = 0;
    heap::sweep(mine.stamp, true);
    auto me = mine.owner.bits();
    board().launcher.compare_exchange_strong(me, 0);
    if (*code == preload_failed)
        throw EOFError("the fork server has ended before it served: a function that it preloads "
                       "has thrown; see stderr, and set_forkserver_preload's on_error");
    if (*code == has_threads)
        throw RuntimeError("the fork server has ended: a function that it preloads has left a "
                           "thread running, and a process with threads cannot be forked safely");
    if (*code != is_superfluous && board().server.load() != mine.stamp.bits())
        throw RuntimeError("the fork server has ended before it served, with exit code " +
                           std::to_string(*code));
}

/// A parked child whose server is dead is about to be dead too. The caller has the mutex.
inline bool is_doomed(CellRef claimed) {
    auto& mine = Launcher::instance();
    auto const server = heap::SlotStamp::from(claimed->server.load());
    if (mine.watched != server || !mine.watched_end) {
        auto const pid = static_cast<std::int64_t>(heap::slot_of(server).pid.load());
        mine.watched_end = platform::open_process(pid);
        mine.watched = server;
        if (!mine.watched_end || !heap::is_current(server)) return heap::is_dead(server);
    }
    platform::native_handle const handles[] = {mine.watched_end.get()};
    return !platform::poll_handles(handles, 0).empty();
}

/// A claimed child that will not get a task: whoever waits for one must look elsewhere.
inline void abandon(CellRef claimed) {
    claimed->state.store(CellWord::pack(claimed.generation(), CellWord::free, {}));
}

inline void stop_server();
inline constexpr int stop_priority = -200;  // after everything that may still start a process

inline void spawn_server(process::Table& table, Launcher& mine) {
    heap::ChildSlot slot("ForkServer");
    Writer writer;
    writer.write(mine.order);
    slot.leave(to_message(writer.bytes()));
    auto const program = table.executable ? *table.executable : platform::executable_path();
    auto& memory = heap::State::instance().arena.memory();
    auto const arguments = popen_spawn::command_line(program, slot.stamp(), true);
    platform::native_handle const inherited[] = {memory.handle()};
    board().stopping.store(0);
    mine.pid = platform::spawn_process(program, arguments, inherited);
    mine.owner = heap::my_stamp();
    mine.stamp = slot.started();
    if (!std::exchange(mine.stops_at_exit, true))
        util::Finalize::at_exit(stop_priority, &stop_server);
}

/// Launches a server unless one serves, or somebody is launching it. The caller has the mutex.
/// Errors: as reap_server; OSError.
inline void ensure_server(process::Table& table) {
    auto& mine = Launcher::instance();
    reap_server(mine);
    if (is_serving()) return;
    auto& word = board().launcher;
    auto const me = heap::my_stamp().bits();
    if (mine.pid != 0 && mine.owner == heap::my_stamp()) return;  // about to serve, or to end
    auto seen = word.load();
    if (seen != 0 && seen != me && !heap::is_dead(heap::SlotStamp::from(seen))) return;
    if (!word.compare_exchange_strong(seen, me)) return;
    try {
        if (is_serving()) word.store(0);
        else spawn_server(table, mine);
    } catch (...) {
        word.store(0);
        throw;
    }
}

/// A parked child that is the caller's alone.
/// Blocks: until the server has one; it is launched where there is none.
/// Errors: RuntimeError, EOFError if it cannot serve; OSError, MemoryError if it cannot fork.
inline CellRef claim() {
    if (auto const found = try_claim()) return found;
    process::offer_lifeline();
    auto& table = process::Table::instance();
    auto& shared = board();
    for (auto const refusals = shared.refusal.load();;) {
        shared.wanted.store(1);
        auto const armed = shared.parked.arm();
        if (auto const found = try_claim()) return found;
        {
            std::lock_guard guard(table.mutex);
            ensure_server(table);
        }
        ring_server();
        shared.parked.wait(armed, Deadline{});
        if (auto const found = try_claim()) return found;
        if (auto const now = shared.refusal.load(); now != refusals) {
            auto const code = static_cast<int>(now & 0xffff'ffff);
            if (code == 0) throw MemoryError("the fork server cannot make another process");
            throw OSError({code, std::system_category()}, "the fork server cannot fork");
        }
    }
}

/// Ends the server that this root has launched: it is to be gone before the root is. The next start
/// launches another one.
inline void stop_server() {
    auto& mine = Launcher::instance();
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    if (mine.pid == 0 || mine.owner != heap::my_stamp() || table.parent) return;
    board().stopping.store(1);
    ring_server();
    auto code = platform::wait_process(mine.pid, 2'000'000'000);
    if (!code) platform::kill_process(mine.pid);
    if (!code) platform::wait_process(mine.pid, std::numeric_limits<std::uint64_t>::max());
    mine.pid = 0;
    heap::sweep(mine.stamp, true);
}

}  // namespace multiprocessing::forkserver
