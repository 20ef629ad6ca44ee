// SPDX-License-Identifier: MIT
// multiprocessing/process/preparation.hpp — what a child that runs the program anew is told first.
// Layer 5 (process). Mirrors get_preparation_data and prepare of Lib/multiprocessing/spawn.py.
#pragma once

#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/util/log.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace multiprocessing::process {

/// Written in front of the child's target.
struct Preparation {
    std::string name, kind, identity;
    std::string parent_name;
    bool daemon = false;
    bool watches_parent = true;
    StartMethod method = StartMethod::spawn;
    bool logs = false;
    int log_level = 0, log_to_stderr = 0;
};

/// What the child shall be told. The caller has the table's mutex.
inline Preparation prepare(Table const& table, Child const& child, StartMethod method) {
    auto& log = LogState::instance();
    return {child.name,         child.kind,           child.identity, table.current->name,
            child.daemon,       child.watches_parent, method,         log.exists.load(),
            log.logger.level(), log.to_stderr()};
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
    current.creator_pid = static_cast<std::int64_t>(slot.parent_pid.load());
    table.parent = Parent{{current.creator_pid, slot.parent_start_time.load()}, told.parent_name};
    table.method = told.method;
    table.is_ready = true;
}

}  // namespace multiprocessing::process
