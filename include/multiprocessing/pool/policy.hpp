// SPDX-License-Identifier: MIT
// multiprocessing/pool/policy.hpp — in what Pool and ProcessPoolExecutor differ.
// Layer 6 (pool). Mirrors what Lib/concurrent/futures/process.py does otherwise than pool.py.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>

namespace multiprocessing::pool {

/// Python: the states of `multiprocessing.pool.Pool`.
enum class PoolState : std::uint8_t { run, close, terminate };

/// How workers are ended that nobody waits for.
enum class Force : std::uint8_t { none, terminate, kill };

struct Policy {
    bool on_demand = false;           // workers are started as there is work for them
    bool daemon = true;               // workers may not start a Process
    char const* kind = "PoolWorker";  // of the workers' names, as in ForkPoolWorker-1
    /// Of a pool that fails as a whole when a worker is lost: what its calls get, made from the
    /// reason.
    std::function<std::exception_ptr(std::exception_ptr const& reason)> broken = {};
};

}  // namespace multiprocessing::pool
