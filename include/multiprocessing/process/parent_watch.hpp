// SPDX-License-Identifier: MIT
// multiprocessing/process/parent_watch.hpp — a child leaves when its parent is gone.
// Layer 5 (process). Mirrors the parent sentinel of Lib/multiprocessing/popen_fork.py.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/platform/background.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/timeout.hpp>

#include <chrono>
#include <thread>

namespace multiprocessing::process {

/// Waits in a thread of its own, so that a busy child leaves too. Not a signal on the parent's
/// death: the system sends that when the thread ends that forked.
class ParentWatch {
public:
    /// From now on this process ends, at once and with status 1, when the parent has ended.
    static void start(platform::ProcessIdentity parent) {
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

}  // namespace multiprocessing::process
