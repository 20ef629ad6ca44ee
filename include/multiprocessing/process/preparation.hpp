// SPDX-License-Identifier: MIT
// multiprocessing/process/preparation.hpp — what a child that runs the program anew is told first.
// Layer 5 (process). Mirrors get_preparation_data and prepare of Lib/multiprocessing/spawn.py.
#pragma once

#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/util/log.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace multiprocessing::process {

/// Written in front of the child's target.
struct Preparation {
    std::string name, kind, identity;
    std::string parent_name;
    std::vector<std::byte> authkey;
    bool daemon = false;
    bool watches_parent = true;
    StartMethod method = StartMethod::spawn;
    bool logs = false;
    int log_level = 0, log_to_stderr = 0;
};

/// What the child shall be told. The caller has the table's mutex.
inline Preparation prepare(Table const& table, Child const& child, StartMethod method) {
    auto& log = LogState::instance();
    auto const authkey = child.authkey.bytes();
    return {.name = child.name,
            .kind = child.kind,
            .identity = child.identity,
            .parent_name = table.current->name,
            .authkey = {authkey.begin(), authkey.end()},
            .daemon = child.daemon,
            .watches_parent = child.watches_parent,
            .method = method,
            .logs = log.exists.load(),
            .log_level = log.logger.level(),
            .log_to_stderr = log.to_stderr()};
}

/// The child takes over what it was told.
inline void take_over(Preparation const& told) {
    auto& table = Table::instance();
    if (told.logs) LogState::instance().inherit(told.log_level, told.log_to_stderr);
    auto const& slot = heap::State::instance().my_slot();
    std::lock_guard guard(table.mutex);
    auto& current = *table.current;
    current.name = told.name;
    current.kind = told.kind;
    current.identity = told.identity;
    current.daemon = told.daemon;
    current.authkey = AuthenticationString(told.authkey);
    current.creator_pid = static_cast<std::int64_t>(slot.parent_pid.load());
    table.parent = Parent{{current.creator_pid, slot.parent_start_time.load()}, told.parent_name};
    table.method = told.method;
    table.is_ready = true;
}

}  // namespace multiprocessing::process
