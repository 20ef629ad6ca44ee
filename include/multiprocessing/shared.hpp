// SPDX-License-Identifier: MIT
// multiprocessing/shared.hpp — vectors, strings and maps in memory under a name.
// Layer 4 (shared state). Mirrors no Python file. Not part of <multiprocessing.hpp>, since it
// includes much of Boost.Interprocess and Boost.Container.
#pragma once

#include <multiprocessing/shared/containers.hpp>
#include <multiprocessing/shared/root.hpp>
#include <multiprocessing/shared/segment.hpp>
