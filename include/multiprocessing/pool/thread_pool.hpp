// SPDX-License-Identifier: MIT
// multiprocessing/pool/thread_pool.hpp — class ThreadPool.
// Layer 6 (pool). Mirrors ThreadPool of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/pool/basic_pool.hpp>
#include <multiprocessing/pool/threads.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace multiprocessing::pool {

struct ThreadPoolOptions {
    std::optional<int> processes = std::nullopt;  // threads, called as Python calls them
    std::function<void()> initializer = {};       // each calls it first
};

/// The API of Pool on threads of this process: functions may capture anything, and nothing is
/// pickled. All threads call the same copy of a function, so it must bear that.
///
/// Exceptions arrive as they were thrown. A task that runs cannot be stopped: terminate() and the
/// destructor wait until those under way have ended; their results are dropped.
/// Sharing: any thread.
/// Python: `multiprocessing.pool.ThreadPool(processes=None, initializer=None, initargs=())`.
class ThreadPool : public BasicPool<Threads> {
public:
    /// Errors: ValueError for fewer than 1 thread; std::system_error.
    explicit ThreadPool(std::optional<int> processes = std::nullopt)
        : ThreadPool(ThreadPoolOptions{.processes = processes}) {}

    explicit ThreadPool(ThreadPoolOptions options) : BasicPool(make(std::move(options))) {}

    ThreadPool(ThreadPool&&) = default;
    ThreadPool& operator=(ThreadPool&&) = delete;
    ~ThreadPool() {
        if (!backend()) return;
        terminate();
        join();
    }

private:
    static std::shared_ptr<Threads> make(ThreadPoolOptions options) {
        auto const workers = options.processes.value_or(platform::process_cpu_count());
        if (workers < 1) throw ValueError("Number of processes must be at least 1");
        return std::make_shared<Threads>(static_cast<unsigned>(workers),
                                         std::move(options.initializer));
    }
};

}  // namespace multiprocessing::pool

template <>
struct fmt::formatter<multiprocessing::pool::ThreadPool> : multiprocessing::detail::ReprFormatter {
};
