// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/event.hpp — an event that stays set until it is reset.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

namespace multiprocessing::platform::inline win32::detail {

inline Handle make_event() {
    Handle event(::CreateEventW(nullptr, 1, 0, nullptr));
    if (!event) throw_last_error("CreateEvent");
    return event;
}

}  // namespace multiprocessing::platform::inline win32::detail
