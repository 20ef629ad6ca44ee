// SPDX-License-Identifier: MIT
// multiprocessing/config.hpp — what the library requires of the compiler, and its few constants.
// Layer 0 (base). Mirrors no Python file.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(_MSVC_LANG)
static_assert(_MSVC_LANG >= 202002L, "multiprocessing needs C++20");
#else
static_assert(__cplusplus >= 202002L, "multiprocessing needs C++20");
#endif
static_assert(sizeof(void*) == 8, "multiprocessing needs a 64-bit target");

// Exceptions must be one type in an executable and in a plugin built with hidden visibility.
#if defined(__ELF__)
#define MULTIPROCESSING_VISIBLE [[gnu::visibility("default")]]
#else
#define MULTIPROCESSING_VISIBLE
#endif

namespace multiprocessing {

/// Two words that different processes write at once stand at least so far apart, in bytes.
inline constexpr std::size_t cache_line_bytes = 64;

/// Every internal sleep ends after at most so long, to look whether its peer still lives.
inline constexpr std::uint64_t liveness_interval_ns = 20'000'000;

}  // namespace multiprocessing
