// SPDX-License-Identifier: MIT
// multiprocessing/pool/basic_pool.hpp — the calls of a pool, of processes or of threads.
// Layer 6 (pool). Mirrors Pool of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/imap.hpp>
#include <multiprocessing/pool/options.hpp>
#include <multiprocessing/pool/policy.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing::pool {

/// The results of a function for the elements of a range: imap, of whatever backend.
/// Errors: ValueError for a chunksize or buffersize below 1, or once the pool is closed.
template <reduction::Spread spread, class Backend, class F, class Xs>
auto results_of(std::shared_ptr<Backend> const& backend, bool ordered, F& function, Xs&& elements,
                ImapOptions options, Deadline deadline = {}) {
    using X = std::ranges::range_value_t<Xs>;
    static_assert(Backend::template diagnose_map<F, X, spread>());
    using R = map_result_t<F, Xs, spread>;
    auto const chunksize = positive("chunksize", options.chunksize);
    auto window = std::ranges::sized_range<Xs> ? IMapIterator<R>::no_limit
                                               : std::uint64_t{4} * backend->size();
    if (options.buffersize)
        window =
            std::max<std::uint64_t>(positive("buffersize", *options.buffersize) / chunksize, 1);
    if (backend->state() != PoolState::run) throw ValueError("Pool not running");
    auto view = std::views::all(std::forward<Xs>(elements));
    return IMapIterator<R>(
        std::make_unique<RangeFeed<R, X, Backend, decltype(view)>>(
            ordered, backend, backend->template prepare<X, spread>(function), std::move(view),
            chunksize, Limits{options.retries, options.task_timeout}),
        window, deadline);
}

/// What Pool and ThreadPool have in common. The backend runs the calls.
/// Sharing: any thread of the process that made it.
template <class Backend>
class BasicPool {
    using Spread = reduction::Spread;
    static constexpr Spread plain = Spread::no, spread = Spread::yes;

public:
    /// Calls the function in a worker and waits.
    /// Errors: what the function throws, see AsyncResult::get; PicklingError.
    /// Python: `Pool.apply`.
    template <class F, class... A>
        requires reduction::InvocableTask<F, A...>
    apply_result_t<F, A...> apply(F&& function, A&&... arguments) {
        return call(ApplyOptions<F, A...>{}, std::forward<F>(function),
                    std::forward<A>(arguments)...)
            ->delivery()
            .promise()
            .take();
    }

    /// Shape: arguments are copied (a string literal as a std::string) and pickled here.
    /// Blocks: never. Errors: PicklingError; ValueError once the pool is closed.
    /// Python: `Pool.apply_async`.
    template <class F, class... A>
        requires reduction::InvocableTask<F, A...>
    AsyncResult<apply_result_t<F, A...>> apply_async(F&& function, A&&... arguments) {
        return AsyncResult(call(ApplyOptions<F, A...>{}, std::forward<F>(function),
                                std::forward<A>(arguments)...));
    }
    template <class F, class... A>
    AsyncResult<apply_result_t<F, A...>> apply_async(ApplyOptions<F, A...> options, F&& function,
                                                     A&&... arguments) {
        return AsyncResult(call(std::move(options), std::forward<F>(function),
                                std::forward<A>(arguments)...));
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
        return wait_for<plain>(function, elements, options);
    }
    template <class F, class X>
    auto map(F&& function, std::initializer_list<X> elements, MapOptions options = {}) {
        return wait_for<plain>(function, elements, options);
    }

    /// Each element is a tuple of arguments.
    /// Python: `Pool.starmap`.
    template <class F, std::ranges::input_range Xs>
    auto starmap(F&& function, Xs&& elements, MapOptions options = {}) {
        return wait_for<spread>(function, elements, options);
    }
    template <class F, class X>
    auto starmap(F&& function, std::initializer_list<X> elements, MapOptions options = {}) {
        return wait_for<spread>(function, elements, options);
    }

    /// As map, but does not wait. The callback gets the whole vector, once; none is called for an
    /// empty range.
    /// Python: `Pool.map_async`.
    template <class F, std::ranges::input_range Xs>
    auto map_async(F&& function, Xs&& elements,
                   MapAsyncOptions<map_results_t<F, Xs>> options = {}) {
        return AsyncResult(map_call<plain>(function, elements, std::move(options)));
    }
    template <class F, class X>
    auto map_async(F&& function, std::initializer_list<X> elements,
                   MapAsyncOptions<map_results_t<F, std::span<X const>>> options = {}) {
        return map_async(std::forward<F>(function), std::span(elements), std::move(options));
    }
    /// Python: `Pool.starmap_async`.
    template <class F, std::ranges::input_range Xs>
    auto starmap_async(F&& function, Xs&& elements,
                       MapAsyncOptions<map_results_t<F, Xs, spread>> options = {}) {
        return AsyncResult(map_call<spread>(function, elements, std::move(options)));
    }
    template <class F, class X>
    auto starmap_async(F&& function, std::initializer_list<X> elements,
                       MapAsyncOptions<map_results_t<F, std::span<X const>, spread>> options = {}) {
        return starmap_async(std::forward<F>(function), std::span(elements), std::move(options));
    }

    /// The results one by one, in the order of the elements, while the rest is under way.
    /// Shape: any input range, also one that is read once, waits or has no end. One without length
    /// is read as results are taken, a few chunks for each worker ahead, or `buffersize` elements;
    /// one with a length is read in full at once unless there is a `buffersize`. An lvalue must
    /// outlive what is read of it later.
    /// Errors: ValueError for a chunksize or buffersize below 1, or once the pool is closed.
    /// Python: `Pool.imap(func, iterable, chunksize=1, buffersize=None)`.
    /// Differs: no thread reads the input ahead; the iterator goes on after an exception, also with
    /// a chunksize above 1: with the next chunk.
    template <class F, std::ranges::input_range Xs>
    auto imap(F&& function, Xs&& elements, ImapOptions options = {}) {
        return results_of<plain>(backend_, true, function, std::forward<Xs>(elements), options);
    }
    template <class F, class X>
    auto imap(F&& function, std::initializer_list<X> elements, ImapOptions options = {}) {
        return imap(std::forward<F>(function), std::vector<X>(elements), options);
    }

    /// The same, each result as soon as it is there.
    /// Python: `Pool.imap_unordered(func, iterable, chunksize=1, buffersize=None)`.
    template <class F, std::ranges::input_range Xs>
    auto imap_unordered(F&& function, Xs&& elements, ImapOptions options = {}) {
        return results_of<plain>(backend_, false, function, std::forward<Xs>(elements), options);
    }
    template <class F, class X>
    auto imap_unordered(F&& function, std::initializer_list<X> elements,
                        ImapOptions options = {}) {
        return imap_unordered(std::forward<F>(function), std::vector<X>(elements), options);
    }

    /// No more work. What is under way ends, then the workers do.
    /// Python: `Pool.close`.
    void close() { backend_->close(); }

    /// Ends the workers: processes are killed, threads end what they are at. What is unfinished
    /// fails with a RuntimeError.
    /// Python: `Pool.terminate`.
    /// Differs: workers cannot put it off, since SIGKILL harms nothing here; in CPython unfinished
    /// results never become ready.
    void terminate() { backend_->terminate(); }

    /// Blocks: until all workers have ended.
    /// Errors: ValueError unless the pool was closed or terminated.
    /// Python: `Pool.join`.
    void join() { backend_->join(); }

    /// Python: `repr(pool)`.
    [[nodiscard]] std::string repr() const {
        static constexpr char const* names[] = {"RUN", "CLOSE", "TERMINATE"};
        return fmt::format("<multiprocessing.pool.{} state={} pool_size={}>", Backend::name,
                           names[static_cast<std::size_t>(backend_->state())], backend_->size());
    }

protected:
    explicit BasicPool(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

    std::shared_ptr<Backend> const& backend() const { return backend_; }

private:
    template <class F, class... A>
    auto call(ApplyOptions<F, A...> options, F&& function, A&&... arguments) {
        static_assert(Backend::template diagnose_call<F, A...>());
        using R = apply_result_t<F, A...>;
        auto result = std::make_shared<ApplyCall<R>>(
            Callbacks<R>{std::move(options.callback), std::move(options.error_callback)});
        backend_->template post_call<R>(result, {options.retries, options.task_timeout},
                                        std::forward<F>(function), std::forward<A>(arguments)...);
        return result;
    }

    template <Spread S, class F, class Xs>
    auto wait_for(F& function, Xs& elements, MapOptions options) {
        MapAsyncOptions<map_results_t<F, Xs, S>> all{.chunksize = options.chunksize,
                                                     .retries = options.retries,
                                                     .task_timeout = options.task_timeout,
                                                     .progress = std::move(options.progress)};
        return map_call<S>(function, elements, std::move(all))->delivery().promise().take();
    }

    template <Spread S, class F, class Xs>
    auto map_call(F& function, Xs& elements,
                  MapAsyncOptions<map_results_t<F, Xs, S>> options) {
        using X = std::ranges::range_value_t<Xs>;
        static_assert(Backend::template diagnose_map<F, X, S>());
        using R = map_result_t<F, Xs, S>;
        if (options.chunksize) positive("chunksize", *options.chunksize);
        if constexpr (std::ranges::sized_range<Xs>) {
            return map_sized<S, F, X, R>(function, std::ranges::begin(elements),
                                         static_cast<std::uint64_t>(std::ranges::size(elements)),
                                         std::move(options));
        } else {
            std::vector<X> listed;
            for (auto&& element : elements)
                listed.push_back(std::forward<decltype(element)>(element));
            return map_sized<S, F, X, R>(function, std::make_move_iterator(listed.begin()),
                                         listed.size(), std::move(options));
        }
    }

    template <Spread S, class F, class X, class R, class I>
    auto map_sized(F& function, I at, std::uint64_t count,
                   MapAsyncOptions<map_value_t<R>> options) {
        auto const parts = std::uint64_t{4} * backend_->size();
        auto const chunksize =
            options.chunksize ? static_cast<std::uint64_t>(*options.chunksize)
                              : std::max<std::uint64_t>((count + parts - 1) / parts, 1);
        Callbacks<map_value_t<R>> callbacks;
        if (count != 0)
            callbacks = {std::move(options.callback), std::move(options.error_callback)};
        auto result = std::make_shared<MapCall<R>>(count, chunksize, std::move(callbacks),
                                                   std::move(options.progress));
        if (count == 0) {
            if (backend_->state() != PoolState::run) throw ValueError("Pool not running");
            result->complete();
        } else {
            backend_->template post_map<X, R>(result, backend_->template prepare<X, S>(function),
                                              std::move(at),
                                              {options.retries, options.task_timeout});
        }
        return result;
    }

    std::shared_ptr<Backend> backend_;
};

}  // namespace multiprocessing::pool
