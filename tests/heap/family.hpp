// SPDX-License-Identifier: MIT
// tests/heap/family.hpp — children for tests of the heap alone, before there is a Process.
#pragma once

#include <multiprocessing/heap.hpp>

#include <cstdint>
#include <functional>
#include <stdexcept>

namespace family {

namespace heap = multiprocessing::heap;
namespace platform = multiprocessing::platform;

struct Child {
    std::int64_t pid = 0;
    heap::SlotStamp stamp;

    /// The child's exit code; its slot is swept. Waits no longer than half a minute.
    int join() const {
        auto const code = platform::wait_process(pid, 30'000'000'000);
        if (!code) {
            platform::kill_process(pid);
            throw std::runtime_error("a child did not end");
        }
        heap::sweep(stamp, true);
        return *code;
    }
    int kill() const {
        platform::kill_process(pid);
        return join();
    }
};

/// Runs `body` in a forked child that knows the heap; it leaves with what `body` returns.
template <class Body>
Child start(Body body) {
    heap::ChildSlot slot{"child"};
    auto const stamp = slot.stamp();
    auto const result = heap::fork(slot);
    if (result.side == platform::ForkSide::child) {
        int code = 99;
        try {
            code = body();
        } catch (std::exception const& error) {
            std::fprintf(stderr, "child: %s\n", error.what());
        }
        platform::exit_process(code);
    }
    return {result.pid, stamp};
}

/// What must be the same before and after: everything but the memory behind the arena, and
/// records of threads, which come and go.
inline heap::Statistics at_rest() {
    (void)heap::ledger();  // this thread's own record counts, always
    auto s = heap::statistics();
    s.backed = 0;
    return s;
}

}  // namespace family
