// SPDX-License-Identifier: MIT
// multiprocessing/process.hpp — processes that run a function; the current one and its kin.
// Layer 5 (process). Mirrors Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/process/authkey.hpp>
#include <multiprocessing/process/base_process.hpp>
#include <multiprocessing/process/current.hpp>
#include <multiprocessing/process/process.hpp>
#include <multiprocessing/process/system_exit.hpp>
#include <multiprocessing/process/worker.hpp>
