// SPDX-License-Identifier: MIT
// multiprocessing/util.hpp — logging, finalizers, what runs when a process ends.
// Layer 2 (util). Mirrors Lib/multiprocessing/util.py.
#pragma once

#include <multiprocessing/util/anchored.hpp>
#include <multiprocessing/util/finalize.hpp>
#include <multiprocessing/util/fork_guard.hpp>
#include <multiprocessing/util/log.hpp>
