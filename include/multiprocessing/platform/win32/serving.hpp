// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/serving.hpp — nothing is forked here.
// Layer 1 (platform). Implements platform/serving.hpp.
#pragma once

#include <optional>

namespace multiprocessing::platform::inline win32 {

inline unsigned thread_count() noexcept { return 1; }
inline void begin_serving(void (*)()) {}
inline void end_serving() noexcept {}
inline std::optional<EndedChild> ended_child() { return std::nullopt; }

inline constexpr bool has_child_end = false;
inline std::optional<int> child_end(std::int64_t, bool) { return std::nullopt; }
inline Handle ended_handle() { return Handle(); }

}  // namespace multiprocessing::platform::inline win32
