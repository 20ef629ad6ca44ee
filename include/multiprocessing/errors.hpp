// SPDX-License-Identifier: MIT
// multiprocessing/errors.hpp — every exception the library throws.
// Layer 0 (base). Mirrors the exceptions of Lib/multiprocessing/context.py and Python's own.
#pragma once

#include <multiprocessing/config.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// The base of every exception of this library.
/// Python: `Exception`, for those that the library raises.
class MULTIPROCESSING_VISIBLE Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Something about a process, or about talking to one, went wrong.
/// Python: `multiprocessing.ProcessError`.
class MULTIPROCESSING_VISIBLE ProcessError : public Error {
public:
    using Error::Error;
};

/// A received message does not fit into the caller's buffer. It is here instead.
/// Python: `multiprocessing.BufferTooShort`, whose `args[0]` is the message.
class MULTIPROCESSING_VISIBLE BufferTooShort : public ProcessError {
public:
    using ProcessError::ProcessError;
    BufferTooShort(std::string const& text, std::string message)
        : ProcessError(text), message_(std::make_shared<std::string>(std::move(message))) {}

    /// The whole message; empty where the exception came from another process.
    [[nodiscard]] std::string_view message() const noexcept {
        return message_ ? std::string_view(*message_) : std::string_view();
    }

private:
    std::shared_ptr<std::string const> message_;
};

/// A result did not come in time, or a task was stopped because it ran too long.
/// Python: `multiprocessing.TimeoutError`.
class MULTIPROCESSING_VISIBLE TimeoutError : public ProcessError {
public:
    using ProcessError::ProcessError;
};

/// The peer did not know the key.
/// Python: `multiprocessing.AuthenticationError`.
class MULTIPROCESSING_VISIBLE AuthenticationError : public ProcessError {
public:
    using ProcessError::ProcessError;
};

/// The worker that ran a task ended before the task did.
/// Python: none, because a `Pool` of CPython waits for ever here; near to
/// `concurrent.futures.process.BrokenProcessPool`.
class MULTIPROCESSING_VISIBLE WorkerLostError : public ProcessError {
public:
    /// `exitcode` as `Process.exitcode`: a status of 0 or more, -N for signal N; none if unknown.
    /// Of a process that was no pool's worker; `text` says what it leaves undone.
    WorkerLostError(std::string const& text, std::int64_t pid) : ProcessError(text), pid_(pid) {}
    /// `task` says what it did, `note` what else is known.
    explicit WorkerLostError(std::int64_t pid, std::optional<int> exitcode = std::nullopt,
                             std::string task = "the task", std::string note = {})
        : ProcessError(describe(pid, exitcode, task, note)),
          pid_(pid),
          status_(exitcode),
          task_(std::move(task)),
          note_(std::move(note)) {}

    [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }

    /// The signal that killed the worker, if it was one.
    [[nodiscard]] std::optional<int> signal() const noexcept {
        return status_ && *status_ < 0 ? std::optional(-*status_) : std::nullopt;
    }

    /// The status the worker exited with, if it exited by itself.
    [[nodiscard]] std::optional<int> exit_code() const noexcept {
        return status_ && *status_ >= 0 ? status_ : std::nullopt;
    }

    /// Which task it ran, in words: "the task", "chunk 3 of 10".
    [[nodiscard]] std::string const& task() const noexcept { return task_; }

    /// Why it may have died, such as the kernel's lack of memory; empty if nothing is known.
    [[nodiscard]] std::string const& note() const noexcept { return note_; }

private:
    static std::string describe(std::int64_t pid, std::optional<int> status,
                                std::string_view task, std::string_view note) {
        std::string const how = !status       ? "was lost"
                                : *status < 0 ? fmt::format("was killed by signal {}", -*status)
                                              : fmt::format("exited with status {}", *status);
        return fmt::format("worker {} {} while it ran {}{}{}", pid, how, task,
                           note.empty() ? "" : ": ", note);
    }

    std::int64_t pid_;
    std::optional<int> status_;
    std::string task_, note_;
};

/// The task was cancelled before it had ended.
/// Python: `concurrent.futures.CancelledError`.
class MULTIPROCESSING_VISIBLE CancelledError : public Error {
public:
    using Error::Error;
};

/// An iterator has nothing more to give.
/// Python: `StopIteration`.
class MULTIPROCESSING_VISIBLE StopIteration : public Error {
public:
    using Error::Error;
};

/// A queue had nothing to give in time.
/// Python: `queue.Empty`.
class MULTIPROCESSING_VISIBLE Empty : public Error {
public:
    using Error::Error;
    Empty() : Error("queue is empty") {}
};

/// A bounded queue had no room in time.
/// Python: `queue.Full`.
class MULTIPROCESSING_VISIBLE Full : public Error {
public:
    using Error::Error;
    Full() : Error("queue is full") {}
};

/// The queue was shut down.
/// Python: `queue.ShutDown`.
class MULTIPROCESSING_VISIBLE ShutDown : public Error {
public:
    using Error::Error;
    ShutDown() : Error("queue is shut down") {}
};

/// The barrier was reset or broken while a thread waited at it.
/// Python: `threading.BrokenBarrierError`.
class MULTIPROCESSING_VISIBLE BrokenBarrierError : public Error {
public:
    using Error::Error;
    BrokenBarrierError() : Error("barrier is broken") {}
};

/// The other end of a connection is closed and nothing is left to read.
/// Python: `EOFError`.
class MULTIPROCESSING_VISIBLE EOFError : public Error {
public:
    using Error::Error;
    EOFError() : Error("connection is closed at the other end") {}
};

/// An argument has the right type and a value that makes no sense.
/// Python: `ValueError`.
class MULTIPROCESSING_VISIBLE ValueError : public Error {
public:
    using Error::Error;
};

/// A number is too large for the type it is asked as.
/// Python: `OverflowError`.
class MULTIPROCESSING_VISIBLE OverflowError : public Error {
public:
    using Error::Error;
};

/// A dynamic value has the wrong type for what was asked of it.
/// Python: `TypeError`.
class MULTIPROCESSING_VISIBLE TypeError : public Error {
public:
    using Error::Error;
};

/// A mapping has no such key.
/// Python: `KeyError`.
class MULTIPROCESSING_VISIBLE KeyError : public Error {
public:
    using Error::Error;
};

/// A sequence has no such index.
/// Python: `IndexError`.
class MULTIPROCESSING_VISIBLE IndexError : public Error {
public:
    using Error::Error;
};

/// An object has no such attribute.
/// Python: `AttributeError`.
class MULTIPROCESSING_VISIBLE AttributeError : public Error {
public:
    using Error::Error;
};

/// A value cannot be written for another process.
/// Python: `pickle.PicklingError`.
class MULTIPROCESSING_VISIBLE PicklingError : public Error {
public:
    using Error::Error;
};

/// Received bytes are not a value of the type that was asked for.
/// Python: `pickle.UnpicklingError`.
class MULTIPROCESSING_VISIBLE UnpicklingError : public Error {
public:
    using Error::Error;
};

/// The shared memory cannot grow: a limit of the library, the process or its cgroup is reached.
/// Python: `MemoryError`.
class MULTIPROCESSING_VISIBLE MemoryError : public Error {
public:
    using Error::Error;
};

/// An operation was called in a state that does not allow it, such as `start()` twice.
/// Python: `AssertionError`, which is what `Lib/multiprocessing/process.py` asserts raise.
class MULTIPROCESSING_VISIBLE AssertionError : public Error {
public:
    using Error::Error;
};

/// An operation cannot succeed now, and no narrower exception says why.
/// Python: `RuntimeError`.
class MULTIPROCESSING_VISIBLE RuntimeError : public Error {
public:
    using Error::Error;
};

/// This system or this object cannot do what was asked.
/// Python: `NotImplementedError`.
class MULTIPROCESSING_VISIBLE NotImplementedError : public Error {
public:
    using Error::Error;
};

/// The operating system refused a call. The text names the call and what it was applied to.
/// Python: `OSError`.
class MULTIPROCESSING_VISIBLE OSError : public Error {
public:
    OSError(std::error_code code, std::string const& text) : Error(text), code_(code) {}

    /// The system's error number, comparable with `std::errc`.
    /// Python: `OSError.errno`.
    [[nodiscard]] std::error_code code() const noexcept { return code_; }

private:
    std::error_code code_;
};

/// What is to be made exists already.
/// Python: `FileExistsError`.
class MULTIPROCESSING_VISIBLE FileExistsError : public OSError {
public:
    explicit FileExistsError(std::string const& text)
        : OSError(std::make_error_code(std::errc::file_exists), text) {}
};

/// There is nothing of that name.
/// Python: `FileNotFoundError`.
class MULTIPROCESSING_VISIBLE FileNotFoundError : public OSError {
public:
    explicit FileNotFoundError(std::string const& text)
        : OSError(std::make_error_code(std::errc::no_such_file_or_directory), text) {}
};

/// An exception that was thrown in another process and could not be rebuilt with its own type.
/// Python: `multiprocessing.pool.RemoteTraceback`, which carries the text as a cause.
class MULTIPROCESSING_VISIBLE RemoteError : public Error {
public:
    RemoteError(std::string type_name, std::string const& text, std::int64_t pid)
        : Error(text), type_name_(std::move(type_name)), pid_(pid) {}

    /// The C++ name of the type that was thrown.
    [[nodiscard]] std::string const& type_name() const noexcept { return type_name_; }

    /// The text that its `what()` gave.
    [[nodiscard]] std::string text() const { return what(); }

    /// The process that threw it.
    [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }

private:
    std::string type_name_;
    std::int64_t pid_;
};

}  // namespace multiprocessing
