// SPDX-License-Identifier: MIT
// multiprocessing/context.hpp — the API bound to one start method, and the module's functions.
// Layer 7 (context). Mirrors Lib/multiprocessing/context.py.
#pragma once

#include <multiprocessing/connection.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/forkserver.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/pool.hpp>
#include <multiprocessing/process.hpp>
#include <multiprocessing/queues.hpp>
#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/spawn.hpp>
#include <multiprocessing/start_method.hpp>
#include <multiprocessing/synchronize.hpp>
#include <multiprocessing/util.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing {

/// How many processors the machine has.
/// Python: `multiprocessing.cpu_count()`.
[[nodiscard]] inline int cpu_count() { return platform::cpu_count(); }

/// How many processors this process may use.
/// Python: `os.process_cpu_count()`.
[[nodiscard]] inline int process_cpu_count() { return platform::process_cpu_count(); }

/// Nothing is left to allow: connections travel like everything else.
/// Python: `multiprocessing.allow_connection_pickling()`.
inline void allow_connection_pickling() noexcept {}

/// The same names as the namespace, for one start method. Shared objects are the same whatever
/// context makes them; it matters for Process and Pool.
///
/// Sharing: a value.
/// Python: `multiprocessing.context.BaseContext` and those derived from it.
class Context {
public:
    using ProcessError = multiprocessing::ProcessError;
    using BufferTooShort = multiprocessing::BufferTooShort;
    using TimeoutError = multiprocessing::TimeoutError;
    using AuthenticationError = multiprocessing::AuthenticationError;

    explicit Context(StartMethod method) : method_(method) {}

    /// As multiprocessing::Process, and called ForkProcess-1, SpawnProcess-1 ...
    template <class F, class... A>
        requires(!std::same_as<std::remove_cvref_t<F>, ProcessOptions>)
    multiprocessing::Process Process(F&& function, A&&... arguments)
    const {
        return Process(ProcessOptions{}, std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    multiprocessing::Process Process(ProcessOptions options, F&& function, A&&... arguments)
    const {
        static_assert(reduction::diagnose_call<F, A...>());
        options.start_method = method_;
        return process::Access::make(kind() + "Process", std::move(options),
                                     std::forward<F>(function), std::forward<A>(arguments)...);
    }

    template <class T = Object, class... A>
    multiprocessing::Queue<T> Queue(A&&... arguments) const {
        return multiprocessing::Queue<T>(std::forward<A>(arguments)...);
    }
    template <class T = Object, class... A>
    multiprocessing::JoinableQueue<T> JoinableQueue(A&&... arguments) const {
        return multiprocessing::JoinableQueue<T>(std::forward<A>(arguments)...);
    }
    template <class T = Object>
    multiprocessing::SimpleQueue<T> SimpleQueue() const {
        return multiprocessing::SimpleQueue<T>();
    }

    template <class T = Object>
    std::pair<Connection<T>, Connection<T>> Pipe(PipeOptions options = {}) const {
        return multiprocessing::Pipe<T>(options);
    }

    multiprocessing::Lock Lock() const { return multiprocessing::Lock(); }
    multiprocessing::RLock RLock() const { return multiprocessing::RLock(); }
    multiprocessing::Semaphore Semaphore(std::int64_t value = 1,
                                         SemaphoreOptions options = {}) const {
        return multiprocessing::Semaphore(value, options);
    }
    multiprocessing::BoundedSemaphore BoundedSemaphore(std::int64_t value = 1,
                                                       SemaphoreOptions options = {}) const {
        return multiprocessing::BoundedSemaphore(value, options);
    }
    multiprocessing::Condition Condition() const { return multiprocessing::Condition(); }
    template <class L>
        requires std::constructible_from<multiprocessing::Condition, L const&>
    multiprocessing::Condition Condition(L const& lock) const {
        return multiprocessing::Condition(lock);
    }
    multiprocessing::Event Event() const { return multiprocessing::Event(); }
    multiprocessing::Barrier Barrier(std::int64_t parties, BarrierOptions options = {}) const {
        return multiprocessing::Barrier(parties, std::move(options));
    }
    template <std::convertible_to<BarrierAction> F>
    multiprocessing::Barrier Barrier(std::int64_t parties, F&& action, Timeout timeout = {}) const {
        return multiprocessing::Barrier(parties, std::forward<F>(action), timeout);
    }

    template <class T, class... A>
    auto Value(T const& initial, A const&... lock) const {
        return multiprocessing::Value(initial, lock...);
    }
    template <class T, class... A>
    auto Array(A&&... arguments) const {
        return multiprocessing::Array<T>(std::forward<A>(arguments)...);
    }
    template <std::ranges::input_range R, class... A>
    auto Array(R&& elements, A const&... lock) const {
        return multiprocessing::Array(std::forward<R>(elements), lock...);
    }
    template <class T>
    auto Array(std::initializer_list<T> elements) const {
        return multiprocessing::Array<T>(elements);
    }
    template <class T>
    auto RawValue(T const& initial) const {
        return multiprocessing::RawValue<T>(initial);
    }
    template <class T, class... A>
    auto RawArray(A&&... arguments) const {
        return multiprocessing::RawArray<T>(std::forward<A>(arguments)...);
    }

    multiprocessing::Pool Pool(std::optional<int> processes = std::nullopt) const {
        return multiprocessing::Pool(PoolOptions{.processes = processes}, method_);
    }
    multiprocessing::Pool Pool(PoolOptions options) const {
        return multiprocessing::Pool(std::move(options), method_);
    }

    [[nodiscard]] multiprocessing::Process current_process() const {
        return multiprocessing::current_process();
    }
    [[nodiscard]] std::optional<ParentProcess> parent_process() const {
        return multiprocessing::parent_process();
    }
    std::vector<multiprocessing::Process> active_children() const {
        return multiprocessing::active_children();
    }
    [[nodiscard]] int cpu_count() const { return multiprocessing::cpu_count(); }
    [[nodiscard]] int process_cpu_count() const { return multiprocessing::process_cpu_count(); }
    Logger& get_logger() const { return multiprocessing::get_logger(); }
    Logger& log_to_stderr(std::optional<int> level = std::nullopt) const {
        return multiprocessing::log_to_stderr(level);
    }
    void freeze_support() const { multiprocessing::freeze_support(); }
    void allow_connection_pickling() const { multiprocessing::allow_connection_pickling(); }
    void set_executable(std::optional<std::string> path) const {
        multiprocessing::set_executable(std::move(path));
    }

    template <class... A>
    void set_forkserver_preload(A const&... arguments) const {
        multiprocessing::set_forkserver_preload(arguments...);
    }

    /// This context, or the one of that name.
    /// Python: `BaseContext.get_context(method=None)`.
    [[nodiscard]] Context get_context(std::optional<std::string_view> name = std::nullopt) const {
        return name ? Context(process::method_of(*name)) : *this;
    }
    [[nodiscard]] std::string get_start_method() const {
        return std::string(process::method_name(method_));
    }
    [[nodiscard]] std::optional<std::string> get_start_method(GetStartMethodOptions) const {
        return get_start_method();
    }
    /// Errors: ValueError always: a context has the method it has.
    /// Python: `BaseContext.set_start_method`.
    [[noreturn]] void set_start_method(std::optional<std::string_view>,
                                       SetStartMethodOptions = {}) const {
        throw ValueError("cannot set start method of concrete context");
    }
    [[nodiscard]] std::vector<std::string> get_all_start_methods() const {
        return multiprocessing::get_all_start_methods();
    }

    /// Ours: the method as a value.
    [[nodiscard]] StartMethod start_method() const noexcept { return method_; }

    bool operator==(Context const&) const = default;

private:
    [[nodiscard]] std::string kind() const {
        return std::string(process::method_kind(method_));
    }

    StartMethod method_;
};

/// The contexts by their types.
/// Python: `multiprocessing.context.ForkContext`, `SpawnContext`, `ForkServerContext`.
struct ForkContext : Context {
    ForkContext() : Context(StartMethod::fork) {}
};
struct SpawnContext : Context {
    SpawnContext() : Context(StartMethod::spawn) {}
};
struct ForkServerContext : Context {
    ForkServerContext() : Context(StartMethod::forkserver) {}
};

/// The context of a method; without a name the one of the default method, which is fixed then.
/// Errors: ValueError for a method that this system has not.
/// Python: `multiprocessing.get_context(method=None)`.
[[nodiscard]] inline Context get_context(std::optional<std::string_view> name = std::nullopt) {
    return Context(name ? process::method_of(*name) : process::fix_method());
}

}  // namespace multiprocessing
