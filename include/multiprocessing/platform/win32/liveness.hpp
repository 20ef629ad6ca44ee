// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/liveness.hpp — the process handle and the time of creation.
// Layer 1 (platform). Implements platform/liveness.hpp.
#pragma once

#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/types.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <atomic>
#include <cstdint>
#include <limits>

namespace multiprocessing::platform::inline win32 {

namespace detail {

inline constexpr dword may_wait = 0x0010'0000;         // SYNCHRONIZE
inline constexpr dword may_ask_little = 0x0000'1000;   // PROCESS_QUERY_LIMITED_INFORMATION
inline constexpr dword no_such_process = 87;           // ERROR_INVALID_PARAMETER

/// Empty, with the reason in GetLastError, if there is none.
inline Handle open_by_number(std::int64_t pid) noexcept {
    if (pid <= 0 || pid > std::numeric_limits<dword>::max()) {
        ::SetLastError(no_such_process);
        return Handle();
    }
    return Handle(::OpenProcess(may_wait | may_ask_little, false, static_cast<dword>(pid)));
}

/// In units of 100 ns; 0 if the system does not tell.
inline std::uint64_t creation_time(native_handle process) noexcept {
    FileTime created, ended, kernel, user;
    int const known = ::GetProcessTimes(process, created.native(), ended.native(), kernel.native(),
                                        user.native());
    return known != 0 ? created.value() : 0;
}

inline std::atomic<bool>& process_handles_missing() noexcept {
    static constinit std::atomic<bool> missing{false};
    return missing;
}

}  // namespace detail

inline ProcessIdentity this_process() noexcept {
    return {static_cast<std::int64_t>(::GetCurrentProcessId()),
            detail::creation_time(::GetCurrentProcess())};
}

inline ProcessIdentity identity_of(std::int64_t pid) noexcept {
    Handle const process = detail::open_by_number(pid);
    return {pid, process ? detail::creation_time(process.get()) : 0};
}

inline Liveness liveness(ProcessIdentity identity) noexcept {
    if (identity.pid <= 0) return Liveness::alive;  // nobody's number
    Handle const process = detail::open_by_number(identity.pid);
    if (!process) {
        return ::GetLastError() == detail::no_such_process ? Liveness::dead : Liveness::alive;
    }
    // Whoever holds a handle of an ended process keeps its number: it is then signalled.
    if (::WaitForSingleObject(process.get(), 0) == 0) return Liveness::dead;
    std::uint64_t const created = detail::creation_time(process.get());
    bool const another =
        identity.start_time != 0 && created != 0 && created != identity.start_time;
    return another ? Liveness::dead : Liveness::alive;
}

inline bool left_memory(ProcessIdentity, native_handle, native_handle) noexcept { return false; }

inline void simulate_missing_process_handles(bool missing) noexcept {
    detail::process_handles_missing().store(missing, std::memory_order_relaxed);
}

inline Handle open_process(std::int64_t pid) {
    if (detail::process_handles_missing().load(std::memory_order_relaxed)) return Handle();
    return detail::open_by_number(pid);
}

}  // namespace multiprocessing::platform::inline win32
