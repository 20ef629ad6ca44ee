// SPDX-License-Identifier: MIT
// multiprocessing/pool/pool.hpp — class Pool.
// Layer 6 (pool). Mirrors Pool of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/pool/options.hpp>
#include <multiprocessing/pool/supervisor.hpp>
#include <multiprocessing/util/finalize.hpp>

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing {

/// A number of worker processes that run functions.
///
///     mp::Pool pool(4);
///     std::vector<int> squares = pool.map(square, {1, 2, 3});
///     mp::AsyncResult<int> later = pool.apply_async(square, 20);
///
/// A worker that dies takes its running chunk with it, which fails with WorkerLostError or is run
/// again (`retries`); it is replaced, and everything else goes on.
/// Sharing: any thread of the process that made it. Arguments and results must be picklable.
/// Python: `multiprocessing.Pool(processes=None, initializer=None, initargs=(),
/// maxtasksperchild=None)`.
/// Differs: an initializer that throws fails the pool with its exception instead of starting
/// workers for ever; a lost task is an error, not a wait for ever.
class Pool {
public:
    /// As many workers as this process may use CPUs, or `processes`.
    /// Errors: ValueError for fewer than 1; RuntimeError under spawn where main has not called
    /// freeze_support(); what a worker cannot be started for.
    explicit Pool(std::optional<int> processes = std::nullopt)
        : Pool(PoolOptions{.processes = processes}) {}

    explicit Pool(PoolOptions options) : Pool(std::move(options), std::nullopt) {}

    /// Of a context: with its start method.
    Pool(PoolOptions options, std::optional<StartMethod> method) {
        auto const workers = options.processes.value_or(platform::process_cpu_count());
        if (workers < 1) throw ValueError("Number of processes must be at least 1");
        if (options.maxtasksperchild && *options.maxtasksperchild < 1)
            throw ValueError("maxtasksperchild must be a positive int or nothing");
        pool::WorkerOrder order;
        order.tasks = heap::Ring::make({.redeliver = true});
        order.news = heap::Ring::make({.redeliver = true});
        order.tasks_per_child =
            static_cast<std::uint64_t>(options.maxtasksperchild.value_or(0));
        options.initializer.write(order);
        supervisor_ = std::make_shared<pool::Supervisor>(
            method ? *method : process::fix_method(), static_cast<unsigned>(workers),
            std::move(order));
        at_exit_ = util::Finalize(
            [weak = std::weak_ptr(supervisor_)] {
                auto const supervisor = weak.lock();
                if (!supervisor) return;
                supervisor->terminate();
                supervisor->join();
            },
            exit_priority);
    }

    Pool(Pool&&) = default;
    Pool& operator=(Pool&&) = delete;

    /// Terminates, as leaving Python's `with` does: what is unfinished fails.
    ~Pool() {
        if (!supervisor_) return;
        if (!is_mine()) {
            forget();
            return;
        }
        at_exit_.cancel();
        supervisor_->terminate();
        supervisor_->join();
    }

    /// Calls the function in a worker and waits.
    /// Errors: what the function throws, see AsyncResult::get; PicklingError.
    /// Python: `Pool.apply`.
    template <class F, class... A>
        requires reduction::InvocableTask<F, A...>
    pool::apply_result_t<F, A...> apply(F&& function, A&&... arguments) {
        return call<F, A...>({}, 0, function, arguments...)->promise().take();
    }

    /// Shape: arguments are copied (a string literal as a std::string) and pickled here.
    /// Blocks: never. Errors: PicklingError; ValueError once the pool is closed.
    /// Python: `Pool.apply_async`.
    template <class F, class... A>
        requires reduction::InvocableTask<F, A...>
    AsyncResult<pool::apply_result_t<F, A...>> apply_async(F&& function, A&&... arguments) {
        return AsyncResult{base(call<F, A...>({}, 0, function, arguments...))};
    }
    template <class F, class... A>
    AsyncResult<pool::apply_result_t<F, A...>> apply_async(ApplyOptions<F, A...> options,
                                                           F&& function, A&&... arguments) {
        return AsyncResult{base(call<F, A...>(
            {std::move(options.callback), std::move(options.error_callback)}, options.retries,
            function, arguments...))};
    }

    /// For what cannot be called: the compiler says why.
    template <class F, class... A>
        requires(!reduction::InvocableTask<F, A...>)
    auto apply(F&&, A&&...) { return reduction::diagnose_task<F, A...>(); }
    template <class F, class... A>
        requires(!reduction::InvocableTask<F, A...>)
    auto apply_async(F&&, A&&...) { return reduction::diagnose_task<F, A...>(); }

    /// Calls the function with each element, in chunks, and waits.
    /// Shape: results in the order of the elements; a range without length is listed first.
    /// Blocks: until all chunks have ended, also after a failure.
    /// Errors: the first exception that arrived; ValueError for a chunksize below 1.
    /// Python: `Pool.map(func, iterable, chunksize=None)`.
    template <class F, std::ranges::input_range Xs>
    auto map(F&& function, Xs&& elements, MapOptions options = {}) {
        return map_call<reduction::Spread::no>(function, elements, options, {})
            ->promise()
            .take();
    }
    template <class F, class X>
    auto map(F&& function, std::initializer_list<X> elements, MapOptions options = {}) {
        return map_call<reduction::Spread::no>(function, elements, options, {})
            ->promise()
            .take();
    }

    /// Each element is a tuple of arguments.
    /// Python: `Pool.starmap`.
    template <class F, std::ranges::input_range Xs>
    auto starmap(F&& function, Xs&& elements, MapOptions options = {}) {
        return map_call<reduction::Spread::yes>(function, elements, options, {})
            ->promise()
            .take();
    }
    template <class F, class X>
    auto starmap(F&& function, std::initializer_list<X> elements, MapOptions options = {}) {
        return starmap(std::forward<F>(function), std::span(elements), options);
    }

    /// As map, but does not wait. The callback gets the whole vector, once.
    /// Python: `Pool.map_async`.
    template <class F, std::ranges::input_range Xs>
    auto map_async(F&& function, Xs&& elements,
                   MapAsyncOptions<pool::map_results_t<F, Xs>> options = {}) {
        return AsyncResult{base(map_call<reduction::Spread::no>(
            function, elements, {options.chunksize, options.retries},
            {std::move(options.callback), std::move(options.error_callback)}))};
    }
    template <class F, class X>
    auto map_async(F&& function, std::initializer_list<X> elements,
                   MapAsyncOptions<pool::map_results_t<F, std::span<X const>>> options = {}) {
        return map_async(std::forward<F>(function), std::span(elements), std::move(options));
    }

    /// No more work. What is under way ends, then the workers do.
    /// Python: `Pool.close`.
    void close() { mine().close(); }

    /// Kills the workers; what is unfinished fails with a RuntimeError.
    /// Python: `Pool.terminate`.
    /// Differs: workers cannot put it off, since SIGKILL harms nothing here; in CPython unfinished
    /// results never become ready.
    void terminate() { mine().terminate(); }

    /// Blocks: until all workers have ended.
    /// Errors: ValueError unless the pool was closed or terminated.
    /// Python: `Pool.join`.
    void join() { mine().join(); }

    /// Python: `repr(pool)`.
    [[nodiscard]] std::string repr() const {
        static constexpr char const* names[] = {"RUN", "CLOSE", "TERMINATE"};
        return fmt::format("<multiprocessing.pool.Pool state={} pool_size={}>",
                           names[static_cast<std::size_t>(supervisor_->state())],
                           supervisor_->size());
    }

private:
    static constexpr int exit_priority = 15;

    bool is_mine() const {
        auto const& state = heap::State::instance();
        return !state.foreign &&
               maker_ == heap::SlotStamp{state.slot, state.generation};
    }
    pool::Supervisor& mine() const {
        if (!is_mine())
            throw RuntimeError("a pool can only be used by the process that has made it");
        return *supervisor_;
    }
    /// In a forked child: its threads are not here, and its workers are the parent's.
    void forget() {
        new std::shared_ptr(std::move(supervisor_));
        new util::Finalize(std::move(at_exit_));
    }

    template <class C>
    static auto base(std::shared_ptr<C> call) {
        using R = typename C::Result;
        return std::shared_ptr<pool::TypedCall<R>>(std::move(call));
    }

    template <class F, class... A>
    auto call(pool::Callbacks<pool::apply_result_t<F, A...>> callbacks, unsigned retries,
              F& function, A&... arguments) {
        static_assert(reduction::diagnose_task<F const&, A const&...>());
        using R = pool::apply_result_t<F, A...>;
        auto job = pool::JobView::make(pool::JobKind::call, 1);
        pool::JobView view{job.header()};
        pool::JobView::store(view.input(0), pool::write_message([&](Writer& out) {
            reduction::dump_task(out, function, arguments...);
        }));
        auto result = std::make_shared<pool::ApplyCall<R>>(std::move(job), 1, retries,
                                                           std::move(callbacks));
        mine().submit(result);
        return result;
    }

    template <reduction::Spread spread, class F, class Xs>
    auto map_call(F& function, Xs& elements, MapOptions options,
                  pool::Callbacks<pool::map_results_t<F, Xs, spread>> callbacks) {
        using X = std::ranges::range_value_t<Xs>;
        static_assert(reduction::diagnose_map<F const&, X, spread>());
        using R = pool::map_result_t<F, Xs, spread>;
        if (options.chunksize && *options.chunksize < 1)
            throw ValueError("chunksize must be 1 or more, not " +
                             std::to_string(*options.chunksize));
        if constexpr (std::ranges::sized_range<Xs>) {
            return map_sized<spread, F, X, R>(
                function, std::ranges::begin(elements),
                static_cast<std::uint64_t>(std::ranges::size(elements)), options,
                std::move(callbacks));
        } else {
            std::vector<X> listed;
            for (auto&& element : elements)
                listed.push_back(std::forward<decltype(element)>(element));
            return map_sized<spread, F, X, R>(function, listed.begin(), listed.size(), options,
                                              std::move(callbacks));
        }
    }

    template <reduction::Spread spread, class F, class X, class R, class I>
    auto map_sized(F& function, I at, std::uint64_t count, MapOptions options,
                   pool::Callbacks<pool::map_value_t<R>> callbacks) {
        auto const parts = std::uint64_t{4} * supervisor_->size();
        auto const chunksize =
            options.chunksize ? static_cast<std::uint64_t>(*options.chunksize)
                              : std::max<std::uint64_t>((count + parts - 1) / parts, 1);
        auto const chunks = count / chunksize + (count % chunksize != 0 ? 1 : 0);
        auto job = pool::JobView::make(pool::JobKind::map, chunks);
        pool::JobView view{job.header()};
        pool::JobView::store(view.function(), pool::write_message([&](Writer& out) {
            reduction::dump_map<X, spread>(out, function);
        }));
        for (std::uint64_t i = 0; i < chunks; ++i)
            pool::JobView::store(view.input(i), pool::write_message([&](Writer& out) {
                at = reduction::dump_elements<X>(out, std::move(at),
                                                 std::min(chunksize, count - i * chunksize));
            }));
        auto result = std::make_shared<pool::MapCall<R>>(std::move(job), chunks, options.retries,
                                                         std::move(callbacks), count, chunksize);
        if (chunks == 0) result->complete();
        else mine().submit(result);
        return result;
    }

    heap::SlotStamp maker_ = heap::my_stamp();
    std::shared_ptr<pool::Supervisor> supervisor_;
    util::Finalize at_exit_;
};

}  // namespace multiprocessing

/// Python: `str(pool)` and `repr(pool)`.
template <>
struct fmt::formatter<multiprocessing::Pool> : fmt::formatter<std::string_view> {
    constexpr auto parse(format_parse_context& context) {
        auto at = context.begin();
        return at != context.end() && *at == 'r' ? at + 1 : at;
    }
    template <class Context>
    auto format(multiprocessing::Pool const& pool, Context& context) const {
        return fmt::formatter<std::string_view>::format(pool.repr(), context);
    }
};
