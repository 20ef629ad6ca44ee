// SPDX-License-Identifier: MIT
// tests/forkserver/servers.hpp — which process serves, and an end to it.
#pragma once

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

#include <unistd.h>

namespace test {

namespace forkserver = multiprocessing::forkserver;

inline multiprocessing::Context context() { return multiprocessing::get_context("forkserver"); }

inline pid_t server_pid() {
    auto const server =
        multiprocessing::heap::SlotStamp::from(forkserver::board().server.load());
    return static_cast<pid_t>(multiprocessing::heap::slot_of(server).pid.load());
}

/// Waits for a condition with a deadline.
template <class Condition>
bool eventually(Condition condition) {
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

inline bool is_gone(multiprocessing::platform::Handle const& end) {
    if (!end) return true;
    std::vector const handles{end.get()};
    return multiprocessing::platform::poll_handles(handles, 20'000'000'000).size() == 1;
}

/// The next start launches another one.
inline void kill_server() {
    if (!forkserver::is_serving()) return;
    auto const pid = server_pid();
    auto const end = multiprocessing::platform::open_process(pid);
    ::kill(pid, SIGKILL);
    CHECK(is_gone(end));
    auto& table = multiprocessing::process::Table::instance();
    std::lock_guard guard(table.mutex);
    forkserver::reap_server(forkserver::Launcher::instance());
}

/// Children that are parked now.
inline std::vector<pid_t> stand_bys() {
    std::vector<pid_t> pids;
    for (std::uint32_t i = 0; i < forkserver::board().mark.load(); ++i)
        if (forkserver::CellWord::phase(forkserver::cell(i).state.load()) ==
            forkserver::CellWord::parked)
            pids.push_back(static_cast<pid_t>(forkserver::cell(i).pid.load()));
    return pids;
}

/// Cells in use, parked children aside.
inline std::size_t used_cells() {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < forkserver::board().mark.load(); ++i)
        count += forkserver::CellWord::phase(forkserver::cell(i).state.load()) >
                 forkserver::CellWord::parked;
    return count;
}

/// How many descriptors this process has.
inline std::size_t open_descriptors() {
    std::filesystem::directory_iterator const folder("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

/// With the server running and all its stand-bys ready, so that things can be counted.
inline void settle() {
    forkserver::ensure_running();
    CHECK(eventually([] { return stand_bys().size() == 2; }));
}

}  // namespace test
