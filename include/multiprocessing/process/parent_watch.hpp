// SPDX-License-Identifier: MIT
// multiprocessing/process/parent_watch.hpp — a child leaves when its parent is gone.
// Layer 5 (process). Mirrors the parent sentinel of Lib/multiprocessing/popen_fork.py.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/platform/background.hpp>
#include <multiprocessing/platform/lifeline.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/timeout.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace multiprocessing::process {

/// Children can hold on to this process from now on.
inline std::uint64_t offer_lifeline() noexcept {
    // The slot is one for all modules of the process, the platform's lifeline is not.
    auto& noted = heap::State::instance().my_slot().notes;
    if (noted.load() == 0) noted.store(platform::lifeline());
    return noted.load();
}

/// A busy child leaves too: the system ends it, or, where it does not know how, a thread does.
/// Not a signal on the parent's death: the system sends that when the thread ends that forked.
class ParentWatch {
public:
    /// From now on this process ends, at once and with status 1, when the parent has ended.
    static void start(platform::ProcessIdentity parent, platform::Handle lifeline_end = {}) {
        if (lifeline_end && platform::follow(std::move(lifeline_end))) return;
        auto& watch = instance();
        watch.handle_ = platform::open_process(parent.pid);  // closes what a fork has inherited
        watch.parent_ = parent;
        // Asked after the handle is open: its number may have been another process's by then.
        if (is_gone(parent)) platform::exit_process(1);
        platform::start_background_thread(
            [](void* self) { static_cast<ParentWatch*>(self)->run(); }, &watch);
    }

private:
    static ParentWatch& instance() {
        static auto& watch = *new ParentWatch;  // the thread outlives static objects
        return watch;
    }

    static bool is_gone(platform::ProcessIdentity parent) {
        return platform::liveness(parent) == platform::Liveness::dead;
    }

    void run() noexcept {
        if (handle_) {
            platform::native_handle const handles[] = {handle_.get()};
            platform::poll_handles(handles, Timeout::forever);
        } else {
            while (!is_gone(parent_))
                std::this_thread::sleep_for(std::chrono::nanoseconds(liveness_interval_ns));
        }
        platform::exit_process(1);
    }

    platform::Handle handle_;
    platform::ProcessIdentity parent_;
};

/// Of a child whose slot its parent has made.
inline void watch_parent() {
    auto& arena = heap::State::instance().arena;
    auto const& slot = heap::State::instance().my_slot();
    auto const pid = static_cast<std::int64_t>(slot.parent_pid.load());
    auto const& parent = arena.slot(heap::Slot::creator(slot.state.load()));
    // Should that slot be another's by now, its lifeline leads nowhere.
    ParentWatch::start({pid, slot.parent_start_time.load()},
                       platform::lifeline_end(pid, parent.notes.load()));
}

}  // namespace multiprocessing::process
