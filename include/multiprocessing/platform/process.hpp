// SPDX-License-Identifier: MIT
// multiprocessing/platform/process.hpp — starts, waits for and ends processes.
// Layer 1 (platform). Mirrors `os.fork`, `os.waitpid`, `os.kill` and `util.spawnv_passfds`.
#pragma once

// has_fork          POSIX: true.  Windows: false, and fork_process throws NotImplementedError.
// fork_process      Flushes stdout and stderr first, but only if their locks are free: a thread may
//                   sleep with one. What could not be flushed is dropped in the child, so that
//                   nothing is printed twice.
// spawn_process     starts `program` (a path, not searched for) with the argument list `arguments`,
//                   whose first is the program's name; returns its number once it has been
//                   executed. Only the handles of `inherited` and the standard streams reach it,
//                   under the same numbers. It blocks no signal; what is ignored stays ignored;
//                   environment and working directory are ours.
//                   POSIX: posix_spawn.  Windows: CreateProcess with a list of handles; it waits
//                   for a thread that is amid printing.
// wait_process      the exit code of a child, once it ended in time; reaps it. 0 only looks,
//                   UINT64_MAX waits for ever. OSError (ECHILD) if it is no child of ours, or was
//                   reaped already. Exit codes are Python's: a status, or -N for signal N.
//                   Windows: statuses have 32 bits; -SIGTERM for what terminate_process has ended,
//                   -SIGSEGV, -SIGILL, -SIGFPE for an exception of that kind that nobody handled,
//                   -SIGINT for Ctrl-C. The number of a child is its own until it is reaped.
// interrupt_process, terminate_process, kill_process   POSIX: SIGINT, SIGTERM, SIGKILL.
//                   Windows: TerminateProcess for the last two; NotImplementedError for the first,
//                   which reaches groups of processes only. Nothing happens if it is gone.
// exit_process      ends this process at once: no destructor, no atexit, no flush.
// process_id, parent_process_id
// at_fork           calls these around every fork, the library's or not. POSIX: pthread_atfork.
//                   Windows: nothing.
// flush_stdio       writes out what printf has buffered, but only where no thread is at it.
//                   Windows: waits for such a thread.
// use_null_stdin    reads of stdin find its end from now on: a child must not compete with its
//                   parent for the terminal.
// end_at_faults     from now on a fault or abort() of this process ends it at once. POSIX: always
//                   so, nothing to do.  Windows: no window that waits for somebody to close it.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/types.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include MULTIPROCESSING_PLATFORM_HEADER(process)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(has_fork), bool const>,
              "platform/<os>/process.hpp must define: inline constexpr bool has_fork");
static_assert(
    std::is_same_v<decltype(&fork_process), ForkResult (*)()> &&
        std::is_same_v<decltype(&spawn_process),
                       std::int64_t (*)(std::string const&, std::vector<std::string> const&,
                                        std::span<native_handle const>)> &&
        std::is_same_v<decltype(&wait_process),
                       std::optional<int> (*)(std::int64_t, std::uint64_t)>,
    "platform/<os>/process.hpp must define fork_process, spawn_process and wait_process");
static_assert(std::is_same_v<decltype(&interrupt_process), void (*)(std::int64_t)> &&
                  std::is_same_v<decltype(&terminate_process), void (*)(std::int64_t)> &&
                  std::is_same_v<decltype(&kill_process), void (*)(std::int64_t)> &&
                  std::is_same_v<decltype(&exit_process), void (*)(int) noexcept>,
              "platform/<os>/process.hpp must define the functions that end a process");
static_assert(
    std::is_same_v<decltype(&process_id), std::int64_t (*)() noexcept> &&
        std::is_same_v<decltype(&parent_process_id), std::int64_t (*)() noexcept> &&
        std::is_same_v<decltype(&at_fork), void (*)(void (*)(), void (*)(), void (*)())> &&
        std::is_same_v<decltype(&flush_stdio), bool (*)() noexcept> &&
        std::is_same_v<decltype(&use_null_stdin), void (*)()> &&
        std::is_same_v<decltype(&end_at_faults), void (*)() noexcept>,
    "platform/<os>/process.hpp must define the functions about this process");

}  // namespace multiprocessing::platform
