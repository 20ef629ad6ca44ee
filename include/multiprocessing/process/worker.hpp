// SPDX-License-Identifier: MIT
// multiprocessing/process/worker.hpp — starts children that serve the library, as a pool's do.
// Layer 5 (process). Mirrors what Lib/multiprocessing/pool.py does with Process.
#pragma once

#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/process/process.hpp>
#include <multiprocessing/process/reap.hpp>
#include <multiprocessing/process/start.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/timeout.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace multiprocessing::process {

/// What a child of the library is to be.
struct ChildSpec {
    std::string kind = "Process";  // its name is KIND-N, unless `name` is given
    std::optional<std::string> name = std::nullopt;
    bool daemon = true;
    std::optional<StartMethod> method = std::nullopt;  // none: the default one
    bool watches_parent = true;  // false: single-threaded, and it watches its parent by itself
};

/// A child that has been started. Copies name the same one; any thread may use them.
class Worker {
public:
    explicit Worker(std::shared_ptr<Child> child) : child_(std::move(child)) {}

    [[nodiscard]] std::int64_t pid() const noexcept { return child_->pid; }
    [[nodiscard]] heap::SlotStamp stamp() const noexcept { return child_->stamp; }
    [[nodiscard]] std::string const& name() const noexcept { return child_->name; }
    /// Ready once it has ended; empty where the system has no such thing.
    [[nodiscard]] platform::Handle const& sentinel() const {
        std::lock_guard guard(Table::instance().mutex);
        return *sentinel_of(*child_);
    }

    /// The exit code, if it has ended; then it is reaped, and its slot is swept.
    std::optional<int> poll() const { return process::poll(*child_); }
    std::optional<int> wait(Deadline deadline) const { return process::wait(*child_, deadline); }
    void terminate() const { signal_child(*child_, platform::terminate_process); }
    void kill() const { signal_child(*child_, platform::kill_process); }

    [[nodiscard]] Process process() const { return Access::wrap(child_); }

private:
    std::shared_ptr<Child> child_;
};

/// Starts a child that calls a function; also in a daemon, which may not start a Process.
/// Errors: as Process::start.
template <class F, class... A>
Worker start_child(ChildSpec spec, F&& function, A&&... arguments) {
    auto target = make_target(std::forward<F>(function), std::forward<A>(arguments)...);
    auto child = make_child(std::move(spec.kind), std::move(spec.name), spec.daemon, spec.method);
    child->watches_parent = spec.watches_parent;
    child->target = std::move(target);
    child->stage = Child::Stage::starting;
    launch(child);
    return Worker(std::move(child));
}

}  // namespace multiprocessing::process
