// SPDX-License-Identifier: MIT
// multiprocessing/pool/pool.hpp — class Pool.
// Layer 6 (pool). Mirrors Pool of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/pool/basic_pool.hpp>
#include <multiprocessing/pool/options.hpp>
#include <multiprocessing/pool/processes.hpp>
#include <multiprocessing/util/finalize.hpp>

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing {

/// A number of worker processes that run functions.
///
///     mp::Pool pool(4);
///     std::vector<int> squares = pool.map(square, {1, 2, 3});
///     mp::AsyncResult<int> later = pool.apply_async(square, 20);
///
/// A worker that dies takes its running chunk with it, which fails with WorkerLostError or is run
/// again (`retries`); it is replaced, and everything else goes on.
/// Sharing: any thread of the process that made it. Arguments and results must be picklable.
/// Python: `multiprocessing.Pool(processes=None, initializer=None, initargs=(),
/// maxtasksperchild=None)`.
/// Differs: an initializer that throws fails the pool with its exception instead of starting
/// workers for ever; a lost task is an error, not a wait for ever.
class Pool : public pool::BasicPool<pool::Processes> {
public:
    /// As many workers as this process may use CPUs, or `processes`.
    /// Errors: ValueError for fewer than 1; RuntimeError under spawn where main has not called
    /// freeze_support(); what a worker cannot be started for.
    explicit Pool(std::optional<int> processes = std::nullopt)
        : Pool(PoolOptions{.processes = processes}) {}

    explicit Pool(PoolOptions options) : Pool(std::move(options), std::nullopt) {}

    /// Of a context: with its start method.
    Pool(PoolOptions options, std::optional<StartMethod> method)
        : BasicPool(make(std::move(options), method)),
          at_exit_(
              [weak = std::weak_ptr(backend()->supervisor())] {
                  auto const supervisor = weak.lock();
                  if (!supervisor) return;
                  supervisor->terminate();
                  supervisor->join();
              },
              exit_priority) {}

    Pool(Pool&&) = default;
    Pool& operator=(Pool&&) = delete;

    /// Terminates, as leaving Python's `with` does: what is unfinished fails.
    ~Pool() {
        if (!backend()) return;
        if (!backend()->is_mine()) {
            forget();
            return;
        }
        at_exit_.cancel();
        terminate();
        join();
    }

    /// The workers that live now. Python: none; `pool._pool` is private.
    [[nodiscard]] std::vector<std::int64_t> pids() const { return backend()->supervisor()->pids(); }

    /// What each worker has done so far, and which tasks took longest. Python: none.
    [[nodiscard]] pool::Stats stats() const { return backend()->supervisor()->book().stats(); }

    /// From now on each task is written to a file, for a trace viewer (Chrome, Perfetto). The file
    /// is complete when the pool has ended. Errors: OSError. Python: none.
    void trace(std::string const& path) { backend()->supervisor()->book().trace(path); }

private:
    static constexpr int exit_priority = 15;

    static std::shared_ptr<pool::Processes> make(PoolOptions options,
                                                 std::optional<StartMethod> method) {
        auto const workers = options.processes.value_or(platform::process_cpu_count());
        if (workers < 1) throw ValueError("Number of processes must be at least 1");
        if (options.maxtasksperchild && *options.maxtasksperchild < 1)
            throw ValueError("maxtasksperchild must be a positive int or nothing");
        pool::WorkerOrder order;
        order.tasks_per_child =
            static_cast<std::uint64_t>(options.maxtasksperchild.value_or(0));
        options.initializer.write(order);
        return std::make_shared<pool::Processes>(method ? *method : process::fix_method(),
                                                 static_cast<unsigned>(workers),
                                                 std::move(order));
    }

    /// In a forked child: its threads are not here, and its workers are the parent's.
    void forget() {
        new std::shared_ptr(backend());
        new util::Finalize(std::move(at_exit_));
    }

    util::Finalize at_exit_;
};

}  // namespace multiprocessing

/// Python: `str(pool)` and `repr(pool)`.
template <>
struct fmt::formatter<multiprocessing::Pool> : multiprocessing::detail::ReprFormatter {};
