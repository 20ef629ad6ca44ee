// SPDX-License-Identifier: MIT
// tests/support/start_methods.hpp — runs a test case once for each start method.
#pragma once

#include "support/catch.hpp"

#include <multiprocessing/context.hpp>

#include <csignal>
#include <string>

namespace test {

/// A forked child inherits Catch2's handlers of signals, which would report a failure of its own.
inline void let_signals_kill_children() {
    multiprocessing::util::register_after_fork([] {
        for (int const signal : {SIGINT, SIGTERM, SIGABRT, SIGSEGV, SIGFPE, SIGILL})
            std::signal(signal, SIG_DFL);
    });
}

/// The context of each start method in turn; the name stands in the report of a failure.
inline multiprocessing::Context each_context() {
    let_signals_kill_children();
    auto const name = GENERATE(from_range(multiprocessing::get_all_start_methods()));
    UNSCOPED_INFO("start method " << name);
    return multiprocessing::get_context(name);
}

}  // namespace test
