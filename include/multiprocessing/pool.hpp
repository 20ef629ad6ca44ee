// SPDX-License-Identifier: MIT
// multiprocessing/pool.hpp — Pool and AsyncResult.
// Layer 6 (pool). Mirrors Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/async_result.hpp>
#include <multiprocessing/pool/engine.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/pool/options.hpp>
#include <multiprocessing/pool/pool.hpp>
#include <multiprocessing/pool/supervisor.hpp>
#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/pool/zygote.hpp>
