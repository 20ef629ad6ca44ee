// SPDX-License-Identifier: MIT
// multiprocessing/dummy/process.hpp — a thread with the API of a process.
// Layer 5 (process). Mirrors DummyProcess of Lib/multiprocessing/dummy/__init__.py.
#pragma once

#include <multiprocessing/detail/wait_until.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/process/report.hpp>
#include <multiprocessing/reduction/task.hpp>
#include <multiprocessing/timeout.hpp>
#include <multiprocessing/util/finalize.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing::dummy {

struct ProcessOptions {
    std::optional<std::string> name = std::nullopt;
    std::optional<bool> daemon = std::nullopt;  // not waited for at the end of the program
};

/// A function that runs in a thread. It may capture anything; arguments are kept by value.
/// Sharing: copies name the same thread; any thread may ask and wait.
/// Python: `multiprocessing.dummy.Process`.
class Process {
public:
    template <class F, class... A>
        requires(!std::same_as<std::remove_cvref_t<F>, Process> &&
                 !std::same_as<std::remove_cvref_t<F>, ProcessOptions> &&
                 reduction::InvocableTask<F, A...>)
    explicit Process(F&& function, A&&... arguments)
        : Process(ProcessOptions{}, std::forward<F>(function), std::forward<A>(arguments)...) {}

    template <class F, class... A>
        requires reduction::InvocableTask<F, A...>
    explicit Process(ProcessOptions options, F&& function, A&&... arguments)
        : state_(std::make_shared<State>()) {
        using Bound = std::tuple<reduction::stored_t<F>, reduction::stored_t<A>...>;
        auto bound =
            std::make_shared<Bound>(std::forward<F>(function), std::forward<A>(arguments)...);
        state_->target = [bound] {
            std::apply(
                [](auto& f, auto&... a) { static_cast<void>(std::invoke(f, std::move(a)...)); },
                *bound);
        };
        state_->daemon = options.daemon.value_or(false);
        state_->name = options.name.value_or("");
        if (!options.name) state_->name = "Thread-" + std::to_string(++all().made);
    }

    /// Errors: AssertionError the second time; RuntimeError in another thread than made it.
    /// Python: `Process.start`.
    void start() const {
        if (state_->creator != std::this_thread::get_id())
            throw RuntimeError("only the thread that made a process may start it");
        if (state_->started.exchange(true)) throw AssertionError("cannot start a process twice");
        ensure_exit_waits();
        std::lock_guard guard(all().mutex);
        all().threads.push_back(state_);
        std::thread([state = state_] { run(*state); }).detach();
    }

    /// Blocks: until it has ended (true) or the time is over.
    /// Errors: AssertionError before start().
    /// Python: `Process.join(timeout=None)`.
    bool join(Timeout timeout = {}) const {
        if (!state_->started) throw AssertionError("can only join a started process");
        return wait(*state_, Deadline(timeout));
    }

    [[nodiscard]] bool is_alive() const { return state_->started && !ended(); }
    /// 0 once it has ended, also by an exception, which is printed.
    [[nodiscard]] std::optional<int> exitcode() const {
        return ended() ? std::optional(0) : std::nullopt;
    }
    [[nodiscard]] std::string name() const { return state_->name; }
    [[nodiscard]] bool daemon() const { return state_->daemon; }

    bool operator==(Process const&) const = default;

private:
    friend std::vector<Process> active_children();

    struct State {
        std::string name;
        bool daemon = false;
        std::function<void()> target;
        std::thread::id creator = std::this_thread::get_id();
        std::atomic<bool> started{false};
        std::mutex mutex;
        std::condition_variable changed;
        bool ended = false;
    };
    /// Those that have been started, until somebody looks and they have ended.
    struct All {
        std::mutex mutex;
        std::vector<std::shared_ptr<State>> threads;
        std::atomic<unsigned> made{0};
    };

    explicit Process(std::shared_ptr<State> state) : state_(std::move(state)) {}

    static All& all() {
        static All* const all = new All;  // threads may outlive main
        return *all;
    }
    bool ended() const {
        std::lock_guard guard(state_->mutex);
        return state_->ended;
    }

    static void run(State& state) {
        try {
            state.target();
        } catch (...) {
            process::report_current_exception();
        }
        state.target = nullptr;
        std::lock_guard guard(state.mutex);
        state.ended = true;
        state.changed.notify_all();
    }
    static bool wait(State& state, Deadline deadline) {
        std::unique_lock guard(state.mutex);
        return detail::wait_until(state.changed, guard, deadline, [&] { return state.ended; });
    }

    /// Takes out who has ended.
    static std::vector<std::shared_ptr<State>> living() {
        std::lock_guard guard(all().mutex);
        std::erase_if(all().threads, [](auto const& state) {
            std::lock_guard inner(state->mutex);
            return state->ended;
        });
        return all().threads;
    }
    static void ensure_exit_waits() {
        static std::once_flag once;
        std::call_once(once, [] {
            util::Finalize::at_exit(-10, [] {
                for (auto const& state : living())
                    if (!state->daemon) wait(*state, Deadline());
            });
        });
    }

    std::shared_ptr<State> state_;
};

/// Those that this thread has started and that live.
/// Python: `multiprocessing.dummy.active_children()`.
inline std::vector<Process> active_children() {
    std::vector<Process> mine;
    for (auto const& state : Process::living())
        if (state->creator == std::this_thread::get_id()) mine.push_back(Process(state));
    return mine;
}

}  // namespace multiprocessing::dummy
