// SPDX-License-Identifier: MIT
// multiprocessing/version.hpp — the library's version, as macros that CMake reads too.
// Layer 0 (base). Mirrors no Python file.
#pragma once

#define MULTIPROCESSING_VERSION_MAJOR 0
#define MULTIPROCESSING_VERSION_MINOR 1
#define MULTIPROCESSING_VERSION_PATCH 0
#define MULTIPROCESSING_VERSION_STRING "0.1.0"
