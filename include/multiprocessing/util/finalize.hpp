// SPDX-License-Identifier: MIT
// multiprocessing/util/finalize.hpp — what must be done once, at the latest when the process ends.
// Layer 2 (util). Mirrors Finalize and _exit_function of Lib/multiprocessing/util.py.
#pragma once

#include <multiprocessing/platform/exit.hpp>
#include <multiprocessing/util/log.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace multiprocessing::util {

/// What is left to do, in the order in which it was registered.
struct ExitState {
    struct Entry {
        std::function<void()> callback;
        std::optional<int> priority;
    };

    std::mutex mutex;  // of what follows; held across a fork
    std::vector<std::shared_ptr<Entry>> entries;
    std::vector<void (*)()> after_fork;
    void (*end_children)() = nullptr;  // the process layer's part of the exit
    bool hooked = false;
    std::atomic<bool> exiting{false};

    static ExitState& instance() { return anchored<Anchored::exit, ExitState>(); }

    /// Takes the entry out: whoever gets it may run it.
    bool take(std::shared_ptr<Entry> const& entry) {
        std::lock_guard guard(mutex);
        return std::erase(entries, entry) != 0;
    }

    /// The next one to run at exit, taken out: highest priority first, of those the latest.
    std::shared_ptr<Entry> take_next(std::optional<int> least) {
        std::lock_guard guard(mutex);
        auto best = entries.end();
        for (auto at = entries.begin(); at != entries.end(); ++at) {
            if (!(*at)->priority || (least && *(*at)->priority < *least)) continue;
            if (best == entries.end() || *(*at)->priority >= *(*best)->priority) best = at;
        }
        if (best == entries.end()) return nullptr;
        auto entry = std::move(*best);
        entries.erase(best);
        return entry;
    }
};

/// True once the process has begun to end.
/// Python: `multiprocessing.util.is_exiting()`.
inline bool is_exiting() { return ExitState::instance().exiting.load(); }

/// Runs, and forgets, what has at least this priority; without one, all that has any.
/// What a callback throws is logged.
/// Python: `multiprocessing.util._run_finalizers`.
inline void run_finalizers(std::optional<int> least = std::nullopt) {
    auto& state = ExitState::instance();
    while (auto const entry = state.take_next(least)) {
        try {
            entry->callback();
        } catch (std::exception const& error) {
            log(logging::error, "a finalizer has thrown: {}", error.what());
        } catch (...) {
            log(logging::error, "a finalizer has thrown");
        }
    }
}

/// The end of a process, once: what has a priority of 0 or more; its children; the rest.
/// Python: `multiprocessing.util._exit_function`.
inline void run_exit_work() {
    auto& state = ExitState::instance();
    if (state.exiting.exchange(true)) return;
    info("process shutting down");
    debug("running all \"atexit\" finalizers with priority >= 0");
    run_finalizers(0);
    if (state.end_children != nullptr) state.end_children();
    debug("running the remaining \"atexit\" finalizers");
    run_finalizers();
}

/// From now on the exit of this process does its work. A forked child has a hook of its own.
inline void ensure_exit_hook() {
    auto& state = ExitState::instance();
    std::lock_guard guard(state.mutex);
    if (state.hooked) return;
    platform::at_exit([](int) {
        if (!heap::State::instance().foreign) run_exit_work();
    });
    state.hooked = true;
}

/// Calls a function in every child that the library forks, before anything else runs there.
/// Python: `multiprocessing.util.register_after_fork`.
inline void register_after_fork(void (*function)()) {
    auto& state = ExitState::instance();
    std::lock_guard guard(state.mutex);
    auto const known = std::find(state.after_fork.begin(), state.after_fork.end(), function);
    if (known == state.after_fork.end()) state.after_fork.push_back(function);
}

/// Owns a callback that runs once: when it is called for, when the Finalize is destroyed, or, if it
/// has a priority, when the process ends; never in another process than the one that made it.
///
/// Shape: at exit those with a priority of 0 or more run before the children are ended, highest
/// first and of those the latest first; negative ones run after it.
/// Sharing: any thread; the callback runs in one of them.
/// Python: `multiprocessing.util.Finalize`.
class Finalize {
public:
    explicit Finalize(std::function<void()> callback,
                      std::optional<int> exit_priority = std::nullopt)
        : entry_(enter(std::move(callback), exit_priority)) {}
    Finalize() = default;
    Finalize(Finalize&&) = default;
    Finalize& operator=(Finalize&& other) {
        if (this != &other) {
            (*this)();
            entry_ = std::move(other.entry_);
        }
        return *this;
    }
    ~Finalize() {
        try {
            (*this)();
        } catch (std::exception const& error) {
            log(logging::error, "a finalizer has thrown: {}", error.what());
        } catch (...) {
            log(logging::error, "a finalizer has thrown");
        }
    }

    /// Registers a callback that nobody owns: it runs when the process ends.
    static void at_exit(int priority, std::function<void()> callback) {
        enter(std::move(callback), priority);
    }

    /// Runs the callback now, unless it has run. True if it did.
    bool operator()() {
        auto const entry = std::move(entry_);
        if (!entry || !ExitState::instance().take(entry)) return false;
        entry->callback();
        return true;
    }

    /// The callback will never run.
    void cancel() {
        if (entry_) ExitState::instance().take(std::exchange(entry_, nullptr));
    }

    /// The callback has yet to run, in this process.
    [[nodiscard]] bool still_active() const {
        if (!entry_) return false;
        auto& state = ExitState::instance();
        std::lock_guard guard(state.mutex);
        return std::find(state.entries.begin(), state.entries.end(), entry_) != state.entries.end();
    }

private:
    static std::shared_ptr<ExitState::Entry> enter(std::function<void()> callback,
                                                   std::optional<int> priority) {
        if (priority) ensure_exit_hook();
        auto entry =
            std::make_shared<ExitState::Entry>(ExitState::Entry{std::move(callback), priority});
        auto& state = ExitState::instance();
        std::lock_guard guard(state.mutex);
        state.entries.push_back(entry);
        return entry;
    }

    std::shared_ptr<ExitState::Entry> entry_;
};

}  // namespace multiprocessing::util
