// SPDX-License-Identifier: MIT
// multiprocessing.hpp — Python's multiprocessing: everything that needs no extra library to link.
// Layer 7 (context). Mirrors Lib/multiprocessing/__init__.py.
#pragma once

#include <multiprocessing/connection.hpp>
#include <multiprocessing/context.hpp>
#include <multiprocessing/dummy.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/forkserver.hpp>
#include <multiprocessing/futures.hpp>
#include <multiprocessing/object.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/pool.hpp>
#include <multiprocessing/process.hpp>
#include <multiprocessing/queues.hpp>
#include <multiprocessing/reduction.hpp>
#include <multiprocessing/shared_memory.hpp>
#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/spawn.hpp>
#include <multiprocessing/start_method.hpp>
#include <multiprocessing/synchronize.hpp>
#include <multiprocessing/timeout.hpp>
#include <multiprocessing/util.hpp>
#include <multiprocessing/version.hpp>
