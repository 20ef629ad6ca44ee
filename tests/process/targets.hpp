// SPDX-License-Identifier: MIT
// tests/process/targets.hpp — what the children of these tests run, and what the tests ask.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/process/process.hpp>
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace test {

inline void nothing() {}

inline void sleep_for_ever() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

inline void say_and_sleep(multiprocessing::Queue<int> ready) {
    ready.put(1);
    sleep_for_ever();
}

/// Starts the process and waits. One that does not end in time is killed, so no test hangs.
inline std::optional<int> run(multiprocessing::Process p) {
    p.start();
    if (!p.join(std::chrono::seconds(60))) p.kill();
    p.join();
    return p.exitcode();
}

/// The text of the error that the call throws; empty if it throws none.
template <class F>
std::string thrown(F f) {
    try {
        f();
    } catch (multiprocessing::Error const& error) {
        return error.what();
    }
    return "";
}

/// Whether the process ends; the handle was opened while it lived.
inline bool ends(multiprocessing::platform::Handle const& process) {
    std::vector const handles{process.get()};
    return multiprocessing::platform::poll_handles(handles, 30'000'000'000).size() == 1;
}

}  // namespace test
