// SPDX-License-Identifier: MIT
// multiprocessing/queues.hpp — queues between processes.
// Layer 4 (channels). Mirrors Lib/multiprocessing/queues.py.
#pragma once

#include <multiprocessing/queues/joinable_queue.hpp>
#include <multiprocessing/queues/queue.hpp>
#include <multiprocessing/queues/simple_queue.hpp>
