// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/process.hpp — CreateProcess, TerminateProcess, exit codes.
// Layer 1 (platform). Implements platform/process.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/types.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/children.hpp>
#include <multiprocessing/platform/win32/detail/spawn.hpp>
#include <multiprocessing/platform/win32/detail/wait.hpp>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <io.h>

namespace multiprocessing::platform::inline win32 {

inline constexpr bool has_fork = false;

inline std::int64_t process_id() noexcept { return ::GetCurrentProcessId(); }

inline std::int64_t parent_process_id() noexcept {
    struct BasicInformation {  // PROCESS_BASIC_INFORMATION
        long status;
        void* environment_block;
        std::uintptr_t affinity;
        long priority;
        std::uintptr_t pid;
        std::uintptr_t parent_pid;
    } info{};
    using Query = long(__stdcall*)(void*, int, void*, unsigned long, unsigned long*);
    auto const query = reinterpret_cast<Query>(reinterpret_cast<void (*)()>(
        ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "NtQueryInformationProcess")));
    if (query != nullptr) query(::GetCurrentProcess(), 0, &info, sizeof info, nullptr);
    return static_cast<std::int64_t>(info.parent_pid);
}

[[noreturn]] inline void exit_process(int code) noexcept {
    ::TerminateProcess(::GetCurrentProcess(), static_cast<unsigned>(code));
    for (;;) ::Sleep(detail::infinite);  // until the system gets round to it
}

inline bool flush_stdio() noexcept {
    bool const out = std::fflush(stdout) == 0;
    bool const err = std::fflush(stderr) == 0;
    return out && err;
}

inline ForkResult fork_process() {
    throw NotImplementedError("this system cannot fork: start processes by spawn");
}

inline std::int64_t spawn_process(std::string const& program,
                                  std::vector<std::string> const& arguments,
                                  std::span<native_handle const> inherited) {
    flush_stdio();
    return detail::spawn(program, arguments, inherited);
}

namespace detail {

// Python's own: what terminate() leaves as the exit code, and shows as the end by SIGTERM.
inline constexpr dword terminated_code = 0x1'0000;

inline int exitcode_of(dword code) noexcept {
    switch (code) {
    case terminated_code: return -SIGTERM;
    case 0xC000'0005:  // STATUS_ACCESS_VIOLATION
    case 0xC000'00FD:  // STATUS_STACK_OVERFLOW
        return -SIGSEGV;
    case 0xC000'001D: return -SIGILL;  // STATUS_ILLEGAL_INSTRUCTION
    case 0xC000'008E:                  // STATUS_FLOAT_DIVIDE_BY_ZERO
    case 0xC000'0094:                  // STATUS_INTEGER_DIVIDE_BY_ZERO
    case 0xC000'0095:                  // STATUS_INTEGER_OVERFLOW
        return -SIGFPE;
    case 0xC000'013A: return -SIGINT;  // STATUS_CONTROL_C_EXIT
    default: return static_cast<int>(code);
    }
}

inline bool has_ended(native_handle process, std::uint64_t timeout_ns) {
    for (Countdown const countdown(timeout_ns);;) {
        auto const result = ::WaitForSingleObject(process, countdown.milliseconds());
        if (result == wait_failed) throw_last_error("WaitForSingleObject", "of a process");
        if (result != wait_timeout) return true;
        if (countdown.left_ns() == 0) return false;
    }
}

inline void end(native_handle process, std::int64_t pid) {
    // It may be gone, or on its way: then access is denied.
    if (::TerminateProcess(process, terminated_code) != 0) return;
    auto const error = ::GetLastError();
    if (has_ended(process, 1'000'000'000)) return;
    throw_system_error(static_cast<int>(error), "TerminateProcess", fmt::format("{}", pid));
}

}  // namespace detail

inline std::optional<int> wait_process(std::int64_t pid, std::uint64_t timeout_ns) {
    if (pid <= 0)
        throw ValueError(fmt::format("cannot wait for process {}: not a process", pid));
    detail::Children::Use child(pid);
    if (!detail::has_ended(child.process(), timeout_ns)) return std::nullopt;
    detail::dword code = 0;
    if (::GetExitCodeProcess(child.process(), &code) == 0)
        throw_last_error("GetExitCodeProcess", fmt::format("{}", pid));
    child.take();
    return detail::exitcode_of(code);
}

inline void terminate_process(std::int64_t pid) {
    if (pid <= 0) throw ValueError(fmt::format("cannot end process {}: not a process", pid));
    auto const end = [pid](native_handle process) { detail::end(process, pid); };
    if (detail::Children::instance().with(pid, end)) return;
    constexpr detail::dword may_terminate = 0x0001;
    Handle const other(::OpenProcess(may_terminate | detail::may_wait, 0,
                                     static_cast<detail::dword>(pid)));
    if (other)
        end(other.get());
    else if (::GetLastError() != detail::no_such_process)
        throw_last_error("OpenProcess", fmt::format("{}", pid));
}

inline void kill_process(std::int64_t pid) { terminate_process(pid); }

inline void interrupt_process(std::int64_t) {
    throw NotImplementedError("this system cannot interrupt a single process: use terminate()");
}

inline void at_fork(void (*)(), void (*)(), void (*)()) {}

inline void use_null_stdin() {
    int const null = ::_open("NUL", _O_RDONLY | _O_NOINHERIT);
    if (null < 0 || ::_dup2(null, 0) != 0)
        throw OSError(std::error_code(errno, std::generic_category()), "cannot open NUL as stdin");
    ::_close(null);
}

inline void end_at_faults() noexcept {
    constexpr unsigned no_critical_box = 0x1, no_fault_box = 0x2, no_open_box = 0x8000;
    ::SetErrorMode(::SetErrorMode(0) | no_critical_box | no_fault_box | no_open_box);
    ::SetUnhandledExceptionFilter([](_EXCEPTION_POINTERS*) noexcept -> long {
        return 1;  // EXCEPTION_EXECUTE_HANDLER: the process ends with the exception's code
    });
    ::_set_error_mode(1);  // _OUT_TO_STDERR
#if defined(_UCRT) || defined(_MSC_VER)
    ::_set_abort_behavior(0, 0x1 | 0x4);  // neither a message nor a report
#endif
}

}  // namespace multiprocessing::platform::inline win32
