// SPDX-License-Identifier: MIT
// multiprocessing/futures.hpp — ProcessPoolExecutor and Future.
// Layer 6 (pool). Mirrors Lib/concurrent/futures.
#pragma once

#include <multiprocessing/futures/core.hpp>
#include <multiprocessing/futures/errors.hpp>
#include <multiprocessing/futures/executor.hpp>
#include <multiprocessing/futures/future.hpp>
#include <multiprocessing/futures/wait.hpp>
#include <multiprocessing/futures/zip.hpp>
