// SPDX-License-Identifier: MIT
// multiprocessing/pool.hpp — Pool, ThreadPool and AsyncResult.
// Layer 6 (pool). Mirrors Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/async_result.hpp>
#include <multiprocessing/pool/basic_pool.hpp>
#include <multiprocessing/pool/board.hpp>
#include <multiprocessing/pool/book.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/pool/end_watch.hpp>
#include <multiprocessing/pool/engine.hpp>
#include <multiprocessing/pool/feed.hpp>
#include <multiprocessing/pool/foreman.hpp>
#include <multiprocessing/pool/imap.hpp>
#include <multiprocessing/pool/initializer.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/pool/options.hpp>
#include <multiprocessing/pool/policy.hpp>
#include <multiprocessing/pool/pool.hpp>
#include <multiprocessing/pool/processes.hpp>
#include <multiprocessing/pool/progress.hpp>
#include <multiprocessing/pool/promise.hpp>
#include <multiprocessing/pool/roster.hpp>
#include <multiprocessing/pool/supervisor.hpp>
#include <multiprocessing/pool/thread_pool.hpp>
#include <multiprocessing/pool/threads.hpp>
#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/pool/zygote.hpp>
