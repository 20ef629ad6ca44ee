// SPDX-License-Identifier: MIT
// multiprocessing/connection.hpp — connections between processes.
// Layer 4 (channels). Mirrors Lib/multiprocessing/connection.py.
#pragma once

#include <multiprocessing/connection/connection.hpp>
#include <multiprocessing/connection/pipe.hpp>
#include <multiprocessing/connection/wait.hpp>
