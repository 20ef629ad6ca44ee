// SPDX-License-Identifier: MIT
// multiprocessing/process/current.hpp — this process, its parent, its children.
// Layer 5 (process). Mirrors the functions of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/process/process.hpp>
#include <multiprocessing/process/reap.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/timeout.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing {

/// The process that has started this one, as far as a child may know it.
/// Python: what `multiprocessing.parent_process()` returns.
class ParentProcess {
public:
    ParentProcess(platform::ProcessIdentity process, std::string name)
        : process_(process), name_(std::move(name)) {}

    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    [[nodiscard]] std::optional<int> pid() const noexcept {
        return static_cast<int>(process_.pid);
    }
    [[nodiscard]] std::optional<int> ident() const noexcept { return pid(); }

    [[nodiscard]] bool is_alive() const noexcept {
        return platform::liveness(process_) == platform::Liveness::alive;
    }

    /// Waits until the parent has ended, or the time is over. True if it has ended; a child that is
    /// bound to its parent leaves in that moment, though.
    bool join(Timeout timeout = {}) const {
        Deadline const deadline(timeout);
        auto const handle = platform::open_process(process_.pid);
        while (is_alive()) {  // asked after the handle is open, so it is the parent's
            if (deadline.expired()) return false;
            process::sleep_until_ended(handle, liveness_interval_ns, deadline);
        }
        return true;
    }

private:
    platform::ProcessIdentity process_;
    std::string name_;
};

/// Python: `multiprocessing.current_process()`.
[[nodiscard]] inline Process current_process() {
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    return process::Access::wrap(table.current);
}

/// Nothing in the process that nobody has started.
/// Python: `multiprocessing.parent_process()`.
[[nodiscard]] inline std::optional<ParentProcess> parent_process() {
    auto& table = process::Table::instance();
    std::lock_guard guard(table.mutex);
    if (!table.parent) return std::nullopt;
    auto const& [parent, name] = *table.parent;
    return ParentProcess(parent, name || !table.former ? name.value_or("") : table.former->name);
}

/// The children of this process that run; those that have ended are reaped.
/// Python: `multiprocessing.active_children()`.
inline std::vector<Process> active_children() {
    std::vector<Process> result;
    for (auto& child : process::living_children())
        result.push_back(process::Access::wrap(std::move(child)));
    return result;
}

}  // namespace multiprocessing
