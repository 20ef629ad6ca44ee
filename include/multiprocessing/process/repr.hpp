// SPDX-License-Identifier: MIT
// multiprocessing/process/repr.hpp — a process in one line.
// Layer 5 (process). Mirrors BaseProcess.__repr__ of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/process/reap.hpp>
#include <multiprocessing/process/table.hpp>

#include <csignal>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace multiprocessing::process {

struct Access;

/// The name of a signal, or its number where it has none here.
inline std::string signal_name(int signal) {
    switch (signal) {
    case SIGINT: return "SIGINT";
    case SIGILL: return "SIGILL";
    case SIGABRT: return "SIGABRT";
    case SIGFPE: return "SIGFPE";
    case SIGSEGV: return "SIGSEGV";
    case SIGTERM: return "SIGTERM";
#if defined(SIGKILL)
    case SIGKILL: return "SIGKILL";
    case SIGHUP: return "SIGHUP";
    case SIGQUIT: return "SIGQUIT";
    case SIGTRAP: return "SIGTRAP";
    case SIGBUS: return "SIGBUS";
    case SIGUSR1: return "SIGUSR1";
    case SIGUSR2: return "SIGUSR2";
    case SIGPIPE: return "SIGPIPE";
    case SIGALRM: return "SIGALRM";
    case SIGXCPU: return "SIGXCPU";
    case SIGXFSZ: return "SIGXFSZ";
    case SIGSYS: return "SIGSYS";
#endif
    default: return std::to_string(signal);
    }
}

/// As Python quotes a text without control characters.
inline std::string python_quoted(std::string_view text) {
    auto const has = [&](char c) { return text.find(c) != text.npos; };
    char const quote = has('\'') && !has('"') ? '"' : '\'';
    std::string result(1, quote);
    for (char const c : text) {
        if (c == quote || c == '\\') result += '\\';
        result += c;
    }
    return result + quote;
}

/// The caller has the mutex.
inline std::string repr(Table& table, Child& child) {
    bool const is_current = table.current.get() == &child;
    auto const code = poll_locked(table, child);
    std::string_view const status = child.stage == Child::Stage::closed    ? "closed"
                                    : is_current                           ? "started"
                                    : !is_mine(child)                      ? "unknown"
                                    : code                                 ? "stopped"
                                    : child.stage == Child::Stage::started ? "started"
                                                                           : "initial";
    auto text = fmt::format("<{} name={}", child.kind, python_quoted(child.name));
    if (child.stage == Child::Stage::started && !is_current)
        text += fmt::format(" pid={}", child.pid);
    text += child.creator_pid == 0 ? std::string(" parent=None")
                                   : fmt::format(" parent={}", child.creator_pid);
    text += fmt::format(" {}", status);
    if (code && child.stage != Child::Stage::closed)
        text += " exitcode=" + (*code < 0 ? '-' + signal_name(-*code) : std::to_string(*code));
    if (child.daemon) text += " daemon";
    return text + '>';
}

}  // namespace multiprocessing::process
