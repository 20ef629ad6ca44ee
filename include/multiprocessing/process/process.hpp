// SPDX-License-Identifier: MIT
// multiprocessing/process/process.hpp — class Process.
// Layer 5 (process). Mirrors BaseProcess of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/process/reap.hpp>
#include <multiprocessing/process/repr.hpp>
#include <multiprocessing/process/start.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/process/target.hpp>
#include <multiprocessing/timeout.hpp>

#include <concepts>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// Python: the keyword arguments of `Process`.
struct ProcessOptions {
    std::optional<std::string> name = std::nullopt;
    std::optional<bool> daemon = std::nullopt;  // as the process that makes it
    std::optional<StartMethod> start_method = std::nullopt;  // ours; as the program's default
};

/// A function that runs in a process of its own.
///
///     mp::Process p(f, 1, "two");   // also {.name = "worker", .daemon = true} in front
///     p.start();
///     p.join();
///
/// Shape: function and arguments are kept by value, a string literal as a std::string, and reach
/// the function as rvalues. A forked child has them as they are; for any other they must be
/// picklable.
/// Sharing: copies name the same process. Any thread may use them; only the process that made the
/// object may start, ask and wait.
/// Errors: ValueError from everything but name, daemon and the repr after close().
/// Python: `multiprocessing.Process(group=None, target=None, name=None, args=(), kwargs={}, *,
/// daemon=None)`.
/// Differs: a child ends as soon as its parent is gone. A std::thread that the child has left
/// running is not waited for. A class that overrides run() derives from BaseProcess (see
/// process/base_process.hpp), or, if its objects are only ever forked, from this one.
class Process : private process::ChildBody {
public:
    /// Runs nothing, unless a derived class overrides run().
    Process() : Process(ProcessOptions{}) {}
    explicit Process(ProcessOptions options) : Process(make("Process", std::move(options))) {}

    template <class F, class... A>
        requires(!std::derived_from<std::remove_cvref_t<F>, Process> &&
                 !std::same_as<std::remove_cvref_t<F>, ProcessOptions> &&
                 reduction::InvocableTask<F, A...>)
    explicit Process(F&& function, A&&... arguments)
        : Process(
              make("Process", {}, std::forward<F>(function), std::forward<A>(arguments)...)) {}

    template <class F, class... A>
        requires reduction::InvocableTask<F, A...>
    explicit Process(ProcessOptions options, F&& function, A&&... arguments)
        : Process(make("Process", std::move(options), std::forward<F>(function),
                       std::forward<A>(arguments)...)) {}

    template <class F, class... A>
        requires(!std::derived_from<std::remove_cvref_t<F>, Process> &&
                 !std::same_as<std::remove_cvref_t<F>, ProcessOptions> &&
                 !reduction::InvocableTask<F, A...>)
    explicit Process(F&&, A&&...) {
        static_assert(reduction::diagnose_call<F, A...>());
    }
    template <class F, class... A>
        requires(!reduction::InvocableTask<F, A...>)
    explicit Process(ProcessOptions, F&&, A&&...) {
        static_assert(reduction::diagnose_call<F, A...>());
    }

    // Copies only: an object that was moved from would name no process.
    Process(Process const&) = default;
    Process& operator=(Process const&) = default;
    ~Process() override = default;

    /// What the child does: calls the target. Called directly, it does so here and now.
    /// Python: `Process.run`.
    void run() override {
        if (child_->target) child_->target->call();
    }

    /// Starts the child; once. The object must live until this returns.
    /// Errors: AssertionError the second time, in another process than the one that made this, or
    /// in a daemon; RuntimeError where main has not called freeze_support(); PicklingError where
    /// function and arguments must be pickled and cannot; OSError.
    /// Python: `Process.start`.
    void start() {
        {
            auto const guard = lock();
            require_open();
            if (child_->stage != Stage::initial)
                throw AssertionError("cannot start a process twice");
            require_mine("can only start a process object created by current process");
            if (process::Table::instance().current->daemon)
                throw AssertionError("daemonic processes are not allowed to have children");
            child_->stage = Stage::starting;
            child_->object = typeid(*this) == typeid(Process) ? nullptr : this;
        }
        process::launch(child_);
    }

    /// Waits until the child has ended, or the time is over. True if it has ended.
    /// Errors: AssertionError unless this process has started it.
    /// Python: `Process.join(timeout=None)`.
    bool join(Timeout timeout = {}) {
        {
            auto const guard = lock();
            require_open();
            require_mine("can only join a child process");
            if (child_->stage != Stage::started)
                throw AssertionError("can only join a started process");
        }
        return process::wait(*child_, Deadline(timeout)).has_value();
    }

    /// Whether it has been started and has not ended.
    /// Errors: AssertionError unless it is a child of this process, or this process itself.
    /// Python: `Process.is_alive`.
    [[nodiscard]] bool is_alive() const {
        auto const guard = lock();
        require_open();
        if (is_current()) return true;
        require_mine("can only test a child process");
        return child_->stage == Stage::started && !poll();
    }

    /// A label, not more.
    /// Python: `Process.name`.
    [[nodiscard]] std::string name() const {
        auto const guard = lock();
        return child_->name;
    }
    void name(std::string name) {
        auto const guard = lock();
        if (is_current()) heap::slots::set_name(heap::State::instance().my_slot(), name);
        child_->name = std::move(name);
    }

    /// Whether it is ended, rather than waited for, when its parent ends.
    /// Errors: setting it throws AssertionError once it is started.
    /// Python: `Process.daemon`.
    [[nodiscard]] bool daemon() const {
        auto const guard = lock();
        return child_->daemon;
    }
    void daemon(bool daemon) {
        auto const guard = lock();
        if (child_->stage != Stage::initial) throw AssertionError("process has already started");
        child_->daemon = daemon;
    }

    /// The secret of its family: by default that of the process that has made it.
    /// Python: `Process.authkey`.
    [[nodiscard]] AuthenticationString authkey() const {
        auto const guard = lock();
        return child_->authkey;
    }
    void authkey(AuthenticationString authkey) {
        auto const guard = lock();
        child_->authkey = std::move(authkey);
    }

    /// Nothing before the start.
    /// Python: `Process.pid`, `Process.ident`.
    [[nodiscard]] std::optional<int> pid() const {
        auto const guard = lock();
        require_open();
        if (child_->stage != Stage::started) return std::nullopt;
        return static_cast<int>(child_->pid);
    }
    [[nodiscard]] std::optional<int> ident() const { return pid(); }

    /// Nothing before the end; then the status, or -N if signal N has killed it.
    /// Python: `Process.exitcode`.
    [[nodiscard]] std::optional<int> exitcode() const {
        auto const guard = lock();
        require_open();
        return poll();
    }

    /// A handle of the system that is ready once the child has ended; it belongs to this object.
    /// Errors: ValueError before the start; NotImplementedError where the system has none.
    /// Python: `Process.sentinel`.
    [[nodiscard]] platform::native_handle sentinel() const {
        auto const guard = lock();
        require_open();
        if (child_->stage != Stage::started || !process::is_mine(*child_))
            throw ValueError("process not started");
        auto const& sentinel = *process::sentinel_of(*child_);
        if (!sentinel) throw NotImplementedError("this system has no handles of processes");
        return sentinel.get();
    }

    /// Ends the child as the system does it: SIGINT, SIGTERM, SIGKILL. Nothing happens if it has
    /// ended. Its own children leave when it is gone.
    /// Errors: AssertionError unless this process has started it.
    /// Python: `Process.interrupt`, `terminate`, `kill`.
    /// Differs: the exit code after interrupt() is -SIGINT unless the child handles the signal.
    /// On Windows it throws NotImplementedError, since a Ctrl-C reaches all of a console; Python
    /// leaves open what it does there. terminate() and kill() are one there.
    void interrupt() { signal(platform::interrupt_process); }
    void terminate() { signal(platform::terminate_process); }
    void kill() { signal(platform::kill_process); }

    /// Gives back what the object holds.
    /// Errors: ValueError while the child runs.
    /// Python: `Process.close`.
    void close() {
        auto const guard = lock();
        if (child_->stage == Stage::starting || (child_->stage == Stage::started && !poll()))
            throw ValueError("cannot close a process while it is still running: call join() or "
                             "terminate() first");
        child_->stage = Stage::closed;
        child_->target.reset();
        child_->sentinel.reset();
    }

    /// Python: `repr(process)`, and `str(process)`.
    [[nodiscard]] std::string repr() const {
        auto const guard = lock();
        return process::repr(process::Table::instance(), *child_);
    }

    /// Whether both name the same process.
    bool operator==(Process const& other) const { return child_ == other.child_; }

protected:
    explicit Process(std::shared_ptr<process::Child> child) : child_(std::move(child)) {}

    static std::shared_ptr<process::Child> make(std::string kind, ProcessOptions options) {
        return process::make_child(std::move(kind), std::move(options.name), options.daemon,
                                   options.start_method);
    }

private:
    friend struct process::Access;
    using Stage = process::Child::Stage;

    template <class F, class... A>
    static std::shared_ptr<process::Child> make(std::string kind, ProcessOptions options,
                                                F&& function, A&&... arguments) {
        auto target =
            process::make_target(std::forward<F>(function), std::forward<A>(arguments)...);
        auto child = make(std::move(kind), std::move(options));
        child->target = std::move(target);
        return child;
    }

    /// How an object of a derived class reaches a child that is not forked.
    void dump(Writer&) const override {
        throw PicklingError(fmt::format(
            "cannot pickle a process of type '{0}': only fork can start it; derive {0} from "
            "multiprocessing::BaseProcess<{0}> and specialise multiprocessing::pickle for it",
            reduction::detail::readable(typeid(*this))));
    }

    static std::unique_lock<std::mutex> lock() {
        return std::unique_lock(process::Table::instance().mutex);
    }
    std::optional<int> poll() const {
        return process::poll_locked(process::Table::instance(), *child_);
    }
    bool is_current() const { return process::Table::instance().current == child_; }
    void require_open() const {
        if (child_->stage == Stage::closed) throw ValueError("process object is closed");
    }
    void require_mine(char const* otherwise) const {
        if (!process::is_mine(*child_)) throw AssertionError(otherwise);
    }

    template <class Signal>
    void signal(Signal send) {
        {
            auto const guard = lock();
            require_open();
            require_mine("can only signal a child process");
            if (child_->stage != Stage::started)
                throw AssertionError("can only signal a started process");
        }
        process::signal_child(*child_, send);
    }

    std::shared_ptr<process::Child> child_;
};

namespace process {

/// What the layer itself does with the class.
struct Access {
    static Process wrap(std::shared_ptr<Child> child) { return Process(std::move(child)); }
    static std::shared_ptr<Child>& child(Process& process) { return process.child_; }

    /// As a context makes them: `kind` is "ForkProcess" ...
    template <class... A>
    static Process make(std::string kind, ProcessOptions options, A&&... target) {
        return Process(
            Process::make(std::move(kind), std::move(options), std::forward<A>(target)...));
    }
};

}  // namespace process
}  // namespace multiprocessing

template <std::derived_from<multiprocessing::Process> P>
struct fmt::formatter<P, char> {
    constexpr auto parse(fmt::format_parse_context& context) {
        auto at = context.begin();
        return at != context.end() && *at == 'r' ? at + 1 : at;
    }
    template <class Context>
    auto format(multiprocessing::Process const& process, Context& context) const {
        return fmt::format_to(context.out(), "{}", process.repr());
    }
};
