// SPDX-License-Identifier: MIT
// multiprocessing/heap.hpp — the shared memory of a process tree.
// Layer 2 (heap). Mirrors Lib/multiprocessing/heap.py.
#pragma once

#include <multiprocessing/heap/arena.hpp>
#include <multiprocessing/heap/backing.hpp>
#include <multiprocessing/heap/blocks.hpp>
#include <multiprocessing/heap/event.hpp>
#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/heap/hand.hpp>
#include <multiprocessing/heap/hints.hpp>
#include <multiprocessing/heap/inheritance.hpp>
#include <multiprocessing/heap/layout.hpp>
#include <multiprocessing/heap/ledger.hpp>
#include <multiprocessing/heap/prefetch.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/heap/runs.hpp>
#include <multiprocessing/heap/shared.hpp>
#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/heap/state.hpp>
#include <multiprocessing/heap/statistics.hpp>
#include <multiprocessing/heap/sweep.hpp>
#include <multiprocessing/heap/units.hpp>
