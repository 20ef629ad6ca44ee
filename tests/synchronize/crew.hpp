// SPDX-License-Identifier: MIT
// tests/synchronize/crew.hpp — the same work done by threads, by processes, or by both at once.
#pragma once

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace test {

/// Joins whom it started.
class Crew {
public:
    Crew(bool threads, std::optional<multiprocessing::Context> processes)
        : threads_(threads), processes_(processes) {}
    Crew(Crew const&) = delete;
    Crew& operator=(Crew const&) = delete;
    ~Crew() { join(); }

    /// `n` more members; the function and its arguments must be able to cross.
    template <class F, class... A>
    void start(int n, F function, A const&... arguments) {
        for (int i = 0; i < n; ++i)
            if (processes_ && (!threads_ || i % 2 == 0))
                start_process(function, arguments...);
            else start_thread(function, arguments...);
    }

    /// A process, if the crew has any.
    template <class F, class... A>
    void start_one(F function, A const&... arguments) {
        if (processes_) start_process(function, arguments...);
        else start_thread(function, arguments...);
    }

    /// Waits for all. How many failed: threw, or left with another status than 0.
    int join() {
        for (auto& thread : running_threads_) thread.join();
        for (auto& process : running_) {
            process.join(std::chrono::seconds(30));
            if (process.is_alive()) process.kill();
            process.join();
            if (process.exitcode() != 0) ++failed_;
        }
        running_threads_.clear();
        running_.clear();
        return failed_;
    }

private:
    template <class F, class... A>
    void start_process(F function, A const&... arguments) {
        running_.push_back(
            processes_->Process(multiprocessing::ProcessOptions{.daemon = true}, function,
                                arguments...));
        running_.back().start();
    }
    template <class F, class... A>
    void start_thread(F function, A const&... arguments) {
        running_threads_.emplace_back([=, this] {
            try {
                function(arguments...);
            } catch (std::exception const& error) {
                std::fprintf(stderr, "thread: %s\n", error.what());
                ++failed_;
            }
        });
    }

    bool threads_;
    std::optional<multiprocessing::Context> processes_;
    std::vector<std::thread> running_threads_;
    std::vector<multiprocessing::Process> running_;
    std::atomic<int> failed_{0};
};

/// Threads; processes of each start method; both. Under the thread sanitizer, which sees one
/// process only, just the first.
inline Crew each_crew() {
#if defined(__SANITIZE_THREAD__)
    return {true, std::nullopt};
#else
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    return {true, std::nullopt};
#endif
#endif
    auto names = multiprocessing::get_all_start_methods();
    names.insert(names.begin(), {"threads", "both"});
    auto const name = GENERATE_REF(from_range(names));
    UNSCOPED_INFO("crew: " << name);
    if (name == "threads") return {true, std::nullopt};
    let_signals_kill_children();
    auto const mixed = name == "both";
    return {mixed, multiprocessing::get_context(mixed ? "spawn" : name)};
#endif
}

}  // namespace test
