// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/lifeline.hpp — there are none.
// Layer 1 (platform). Implements platform/lifeline.hpp.
#pragma once

#include <multiprocessing/platform/handle.hpp>

#include <cstdint>

namespace multiprocessing::platform::inline win32 {

inline std::uint64_t lifeline() noexcept { return 0; }
inline Handle lifeline_end(std::int64_t, std::uint64_t) noexcept { return Handle(); }
inline bool follow(Handle) noexcept { return false; }

}  // namespace multiprocessing::platform::inline win32
