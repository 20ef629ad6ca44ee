// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes.hpp — values and arrays that all processes of the tree see.
// Layer 4 (shared state). Mirrors Lib/multiprocessing/sharedctypes.py.
#pragma once

#include <multiprocessing/sharedctypes/array.hpp>
#include <multiprocessing/sharedctypes/raw_array.hpp>
#include <multiprocessing/sharedctypes/raw_value.hpp>
#include <multiprocessing/sharedctypes/value.hpp>
