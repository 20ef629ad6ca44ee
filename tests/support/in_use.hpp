// SPDX-License-Identifier: MIT
// tests/support/in_use.hpp — what the tree's memory has in use, once what has ended is cleared.
#pragma once

#include "support/eventually.hpp"

#include <multiprocessing/forkserver.hpp>
#include <multiprocessing/heap.hpp>

#include <cstdint>
#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace test {

struct InUse {
    std::uint64_t slots, blocks;
};

/// The fork server and its stand-bys are stopped first: how many there are changes all the time.
inline InUse in_use() {
    multiprocessing::forkserver::stop_server();
    multiprocessing::heap::sweep_dead();
    auto const now = multiprocessing::heap::statistics();
    return {now.slots, now.blocks};
}

/// The process slots that are not free, for the report of a failure.
inline std::string slots_in_use() {
    auto& arena = multiprocessing::heap::State::instance().arena;
    std::string text;
    for (std::uint32_t i = 1; i < arena.header().slot_mark.load(); ++i) {
        auto& slot = arena.slot(i);
        using Slot = multiprocessing::heap::Slot;
        if (Slot::phase(slot.state.load()) == Slot::free) continue;
        text += fmt::format("slot {}: phase {}, pid {}, creator {}, sweeper {:#x}, {}\n", i,
                            static_cast<int>(Slot::phase(slot.state.load())), slot.pid.load(),
                            Slot::creator(slot.state.load()), slot.sweeper.load(),
                            slot.name.data());
    }
    return text;
}

/// Whether no more than before is in use, as soon as all that was killed is gone.
inline bool nothing_left(InUse before) {
    // Not equal: some that were about to end when `before` was taken may have counted.
    return eventually([before] {
        auto const now = in_use();
        return now.slots <= before.slots && now.blocks <= before.blocks;
    });
}

/// The same of processes alone: objects of the test still have their blocks.
inline bool no_process_left(InUse before) {
    if (eventually([before] { return in_use().slots <= before.slots; })) return true;
    std::fputs(slots_in_use().c_str(), stderr);
    return false;
}

}  // namespace test
