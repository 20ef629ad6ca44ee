// SPDX-License-Identifier: MIT
// multiprocessing/shared_memory.hpp — memory under a name, for programs that are no relatives.
// Layer 4 (shared state). Mirrors Lib/multiprocessing/shared_memory.py.
#pragma once

#include <multiprocessing/shared_memory/shareable_list.hpp>
#include <multiprocessing/shared_memory/shared_memory.hpp>
