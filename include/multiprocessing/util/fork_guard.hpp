// SPDX-License-Identifier: MIT
// multiprocessing/util/fork_guard.hpp — keeps this layer in order while the process is forked.
// Layer 2 (util). Mirrors _run_after_forkers of Lib/multiprocessing/util.py.
#pragma once

#include <multiprocessing/util/finalize.hpp>
#include <multiprocessing/util/log.hpp>

#include <mutex>
#include <utility>
#include <vector>

namespace multiprocessing::util {

/// No other thread is amid a change of this layer's state while one of these exists. Both sides of
/// a fork destroy theirs.
class ForkGuard {
public:
    ForkGuard() : exit_(ExitState::instance().mutex), log_(LogState::instance().mutex()) {}

private:
    std::lock_guard<std::mutex> exit_, log_;
};

/// In a forked child, while the guard exists: what the parent has to do at its end is the parent's.
/// Returns what is to be called once the guard is gone.
inline std::vector<void (*)()> reset_after_fork() {
    auto& state = ExitState::instance();
    // Not destroyed: what a callback holds may be a thread, or want a lock that another one held.
    if (!state.entries.empty()) {
        static auto& kept = *new std::vector<decltype(state.entries)>;
        kept.push_back(std::exchange(state.entries, {}));
    }
    state.exiting = false;
    state.hooked = true;  // by the child's own, which is registered before anything else
    return state.after_fork;
}

}  // namespace multiprocessing::util
