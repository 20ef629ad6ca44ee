// SPDX-License-Identifier: MIT
// multiprocessing/forkserver.hpp — one process without threads forks for the whole tree.
// Layer 5 (forkserver). Mirrors Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/client.hpp>

#include <concepts>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

struct ForkserverPreloadOptions {
    std::string on_error = "ignore";  // "ignore", "warn": told on stderr; "fail": start() throws
};

/// Functions that the fork server calls, in this order, before it forks: what they load, open and
/// compute, every child started by forkserver finds done.
///
/// Shape: functions and lambdas that capture nothing, or mp::partial. They must leave no thread.
/// A server that runs already is not told: call it before the first start.
/// Errors: ValueError for another `on_error`.
/// Python: `multiprocessing.set_forkserver_preload(module_names, *, on_error='ignore')`.
/// Differs: functions instead of names of modules.
template <class... F>
    requires(reduction::InvocableTask<F> && ...)
void set_forkserver_preload(ForkserverPreloadOptions options, F const&... functions) {
    forkserver::ServerOrder order;
    if (options.on_error == "ignore") order.on_error = forkserver::OnError::ignore;
    else if (options.on_error == "warn") order.on_error = forkserver::OnError::warn;
    else if (options.on_error == "fail") order.on_error = forkserver::OnError::fail;
    else
        throw ValueError(fmt::format("on_error must be 'ignore', 'warn' or 'fail', not '{}'",
                                     options.on_error));
    [[maybe_unused]] auto const add = [&](auto const& function) {
        Writer out;
        reduction::dump_target(out, function);
        auto const bytes = out.bytes();
        order.preload.emplace_back(bytes.begin(), bytes.end());
    };
    (add(functions), ...);
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    auto& told = forkserver::Launcher::instance().order;
    order.stand_bys = told.stand_bys;
    told = std::move(order);
}
template <class... F>
    requires(reduction::InvocableTask<F> && ...)
void set_forkserver_preload(F const&... functions) {
    set_forkserver_preload(ForkserverPreloadOptions{}, functions...);
}

namespace forkserver {

/// How many children the server keeps ready; 2 unless told before it is launched. Each costs a
/// process that sleeps; start() takes one without a fork.
/// Python: none, since its server forks when it is asked.
inline void set_stand_bys(unsigned count) {
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    Launcher::instance().order.stand_bys = count;
}

/// Launches the server unless it runs, and waits until it has a child ready.
/// Errors: RuntimeError where main has not called freeze_support(); as Process::start.
/// Python: `multiprocessing.forkserver.ensure_running()`.
inline void ensure_running() {
    popen_spawn::require_freeze_support(process::Table::instance());
    auto const parked = claim();
    auto& state = parked->state;
    state.store(CellWord::with(state.load(), CellWord::parked));
}

}  // namespace forkserver
}  // namespace multiprocessing
