// SPDX-License-Identifier: MIT
// multiprocessing/dummy.hpp — the API on threads of this process.
// Layer 7 (context). Mirrors Lib/multiprocessing/dummy/__init__.py.
#pragma once

#include <multiprocessing/dummy/connection.hpp>
#include <multiprocessing/dummy/process.hpp>
#include <multiprocessing/dummy/queue.hpp>
#include <multiprocessing/dummy/synchronize.hpp>
#include <multiprocessing/dummy/values.hpp>
#include <multiprocessing/pool/thread_pool.hpp>

namespace multiprocessing::dummy {

/// Python: `multiprocessing.dummy.Pool(processes=None, initializer=None, initargs=())`.
using multiprocessing::pool::ThreadPool;
using Pool = ThreadPool;

/// Does nothing: threads need no help. Python: `multiprocessing.dummy.freeze_support()`.
inline void freeze_support() noexcept {}

}  // namespace multiprocessing::dummy
