// SPDX-License-Identifier: MIT
// multiprocessing/start_method.hpp — by which method children are started.
// Layer 5 (process). Mirrors the start-method functions of Lib/multiprocessing/context.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/util/log.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

namespace process {

inline std::string_view method_name(StartMethod method) {
    switch (method) {
    case StartMethod::fork: return "fork";
    case StartMethod::spawn: return "spawn";
    case StartMethod::forkserver: return "forkserver";
    }
    return "?";
}

/// As it stands in the names of processes: ForkProcess-1, SpawnPoolWorker-2 ...
inline std::string_view method_kind(StartMethod method) {
    switch (method) {
    case StartMethod::fork: return "Fork";
    case StartMethod::spawn: return "Spawn";
    case StartMethod::forkserver: return "ForkServer";
    }
    return "";
}

/// The methods there are, the default one first. `is_ready`: main has called freeze_support(),
/// which all but fork need.
inline std::vector<StartMethod> methods(bool is_ready) {
    using enum StartMethod;
    if constexpr (!platform::has_fork) return {spawn};
    if (is_ready) return {forkserver, fork, spawn};
    return {fork, spawn, forkserver};
}
inline std::vector<StartMethod> methods() {
    auto& table = Table::instance();
    std::lock_guard guard(table.mutex);
    return methods(table.is_ready);
}

/// Errors: ValueError for a name that is no method, or none of this system.
inline StartMethod method_of(std::string_view name) {
    for (auto const method : methods())
        if (method_name(method) == name) return method;
    throw ValueError(fmt::format("cannot find context for '{}'", name));
}

/// The method of whoever does not choose one. The first one who asks fixes it.
inline StartMethod fix_method() {
    auto& table = Table::instance();
    bool falls_back = false;
    StartMethod method{};
    {
        std::lock_guard guard(table.mutex);
        falls_back = platform::has_fork && !table.method && !table.is_ready;
        if (!table.method) table.method = methods(table.is_ready).front();
        method = *table.method;
    }
    if (falls_back)
        util::debug("start method fork, not forkserver: main has not called freeze_support()");
    return method;
}

}  // namespace process

struct GetStartMethodOptions {
    bool allow_none = false;
};
struct SetStartMethodOptions {
    bool force = false;
};

/// The name of the default method, which is fixed from now on: forkserver, or fork in a program
/// whose main has not called freeze_support(); on Windows spawn.
/// Python: `multiprocessing.get_start_method()`.
inline std::string get_start_method() {
    return std::string(process::method_name(process::fix_method()));
}

/// With `{.allow_none = true}`: nothing as long as the default method is not fixed.
/// Python: `multiprocessing.get_start_method(allow_none=True)`.
inline std::optional<std::string> get_start_method(GetStartMethodOptions options) {
    if (!options.allow_none) return get_start_method();
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    if (!table.method) return std::nullopt;
    return std::string(process::method_name(*table.method));
}

/// Fixes the method by which children are started; without a name the default one, or, with force,
/// none again.
/// Errors: ValueError for an unknown method; RuntimeError if one is fixed already.
/// Python: `multiprocessing.set_start_method(method, force=False)`.
inline void set_start_method(std::optional<std::string_view> name,
                             SetStartMethodOptions options = {}) {
    auto& table = process::Table::instance();
    {
        std::lock_guard guard(table.mutex);
        if (table.method && !options.force) throw RuntimeError("context has already been set");
    }
    auto method = name ? std::optional(process::method_of(*name)) : std::nullopt;
    std::lock_guard guard(table.mutex);
    if (!name && !options.force) method = process::methods(table.is_ready).front();
    table.method = method;
}

/// The names of the methods that this system has, the default one first.
/// Python: `multiprocessing.get_all_start_methods()`.
inline std::vector<std::string> get_all_start_methods() {
    std::vector<std::string> names;
    for (auto const method : process::methods()) names.emplace_back(process::method_name(method));
    return names;
}

}  // namespace multiprocessing
