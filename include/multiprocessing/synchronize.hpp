// SPDX-License-Identifier: MIT
// multiprocessing/synchronize.hpp — locks that threads and processes share.
// Layer 2 (synchronization). Mirrors Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/synchronize/lock.hpp>
#include <multiprocessing/synchronize/rlock.hpp>
