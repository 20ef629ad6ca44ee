// SPDX-License-Identifier: MIT
// multiprocessing/platform/detect.hpp — the only file that asks which operating system this is.
// Layer 1 (platform). Mirrors the `sys.platform` tests in Lib/multiprocessing/context.py.
#pragma once

// Both are always defined, to 0 or 1: a misspelt `#if` is then an error under -Wundef.
// MULTIPROCESSING_PLATFORM_HEADER(memory) is the chosen implementation of a contract header:
//     #include MULTIPROCESSING_PLATFORM_HEADER(memory)
#if defined(_WIN32)
#define MULTIPROCESSING_POSIX 0
#define MULTIPROCESSING_WIN32 1
#define MULTIPROCESSING_PLATFORM_HEADER(contract) <multiprocessing/platform/win32/contract.hpp>
#elif defined(__linux__)
#define MULTIPROCESSING_POSIX 1
#define MULTIPROCESSING_WIN32 0
#define MULTIPROCESSING_PLATFORM_HEADER(contract) <multiprocessing/platform/posix/contract.hpp>
#else
#error "multiprocessing: this operating system is not supported (Linux and Windows are)"
#endif
