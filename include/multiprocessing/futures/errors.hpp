// SPDX-License-Identifier: MIT
// multiprocessing/futures/errors.hpp — what futures and executors throw.
// Layer 6 (pool). Mirrors the exceptions of Lib/concurrent/futures/_base.py and process.py.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/errors.hpp>

#include <exception>
#include <string>

namespace multiprocessing::futures {

using multiprocessing::CancelledError;
using multiprocessing::TimeoutError;

/// The future is in a state that does not allow it.
/// Python: `concurrent.futures.InvalidStateError`.
class MULTIPROCESSING_VISIBLE InvalidStateError : public Error {
public:
    using Error::Error;
};

/// The executor cannot be used any more, or a worker of it could not start.
/// Python: `concurrent.futures.BrokenExecutor`.
class MULTIPROCESSING_VISIBLE BrokenExecutor : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
};

/// A worker has ended abruptly, or its initializer has thrown.
/// Python: `concurrent.futures.process.BrokenProcessPool`.
class MULTIPROCESSING_VISIBLE BrokenProcessPool : public BrokenExecutor {
public:
    BrokenProcessPool(std::string const& text, std::exception_ptr cause)
        : BrokenExecutor(text), cause_(std::move(cause)) {}

    /// What happened: a WorkerLostError with pid and exit code, or what the initializer threw.
    /// Python: `__cause__`.
    [[nodiscard]] std::exception_ptr const& cause() const noexcept { return cause_; }

private:
    std::exception_ptr cause_;
};

}  // namespace multiprocessing::futures
