// SPDX-License-Identifier: MIT
// multiprocessing/synchronize.hpp — locks, and what else threads and processes wait at.
// Layer 3 (pickling, because of Barrier). Mirrors Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/synchronize/barrier.hpp>
#include <multiprocessing/synchronize/bounded_semaphore.hpp>
#include <multiprocessing/synchronize/condition.hpp>
#include <multiprocessing/synchronize/event.hpp>
#include <multiprocessing/synchronize/lock.hpp>
#include <multiprocessing/synchronize/rlock.hpp>
#include <multiprocessing/synchronize/semaphore.hpp>
