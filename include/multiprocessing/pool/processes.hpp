// SPDX-License-Identifier: MIT
// multiprocessing/pool/processes.hpp — what a pool runs on: worker processes that get their tasks
// pickled.
// Layer 6 (pool). Mirrors Pool.__init__ of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/pool/supervisor.hpp>
#include <multiprocessing/reduction/map.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

namespace detail {

/// A message of the bytes that `write(Writer&)` writes, with the shared objects that they name.
/// Errors: PicklingError, MemoryError; nothing is left behind.
template <class Write>
heap::Hand write_message(Write write) {
    HeapCourier courier;
    Writer out{&courier};
    write(out);
    return to_message(out, courier);
}

template <class R>
void accept_value(Call& call, std::uint64_t, Reader& in) {
    auto& typed = static_cast<ValueCall<R>&>(call);
    if constexpr (std::is_void_v<R>) typed.store({});
    else typed.store(reduction::load_result<R>(in));
}

template <class R>
void accept_values(Call& call, std::uint64_t chunk, Reader& in) {
    auto& typed = static_cast<ElementsCall<R>&>(call);
    auto const count = typed.count(chunk);
    typename ElementsCall<R>::Values values;
    if constexpr (std::is_void_v<R>) {
        values.resize(count);
    } else {
        values.reserve(count);
        reduction::load_results<R>(in, count,
                                   [&](R&& value) { values.push_back(std::move(value)); });
    }
    typed.store(chunk, std::move(values));
}

}  // namespace detail

/// Sharing: any thread of the process that has made it.
class Processes {
public:
    using Function = heap::Shared;
    static constexpr char const* name = "Pool";

    Processes(StartMethod method, unsigned workers, WorkerOrder order, Policy policy = {}) {
        order.tasks = heap::Ring::make({.redeliver = true});
        order.news = heap::Ring::make({.redeliver = true});
        supervisor_ = std::make_shared<Supervisor>(method, workers, std::move(order),
                                                   std::move(policy));
    }

    /// Whether this is the process that has made it, and not one forked from it.
    bool is_mine() const {
        auto const& state = heap::State::instance();
        return !state.foreign && maker_ == heap::SlotStamp{state.slot, state.generation};
    }
    /// Errors: RuntimeError in another process.
    std::shared_ptr<Supervisor> const& supervisor() const {
        if (!is_mine())
            throw RuntimeError("a pool can only be used by the process that has made it");
        return supervisor_;
    }
    unsigned size() const { return supervisor_->size(); }
    PoolState state() const { return supervisor_->state(); }
    void close() const { supervisor()->close(); }
    void terminate() const { supervisor()->terminate(); }
    void join() const { supervisor()->join(); }

    // ---- calls; each throws PicklingError, MemoryError, ValueError once the pool is closed

    template <class F, class... A>
    static consteval bool diagnose_call() {
        return reduction::diagnose_task<F const&, A const&...>();
    }
    template <class F, class X, reduction::Spread spread>
    static consteval bool diagnose_map() {
        return reduction::diagnose_map<F const&, X, spread>();
    }

    template <class R, class F, class... A>
    void post_call(std::shared_ptr<ValueCall<R>> call, Limits limits, F const& function,
                   A const&... arguments) const {
        auto job = JobView::make(JobKind::call, 1);
        JobView::store(JobView{job.header()}.input(0), detail::write_message([&](Writer& out) {
            reduction::dump_task(out, function, arguments...);
        }));
        post(std::move(call), std::move(job), &detail::accept_value<R>, limits);
    }

    template <class X, reduction::Spread spread, class F>
    Function prepare(F const& function) const {
        return FunctionView::make(detail::write_message(
            [&](Writer& out) { reduction::dump_map<X, spread>(out, function); }));
    }

    /// Reads as many elements from `at` as the call has.
    template <class X, class R, class I>
    void post_map(std::shared_ptr<ElementsCall<R>> call, Function const& function, I at,
                  Limits limits) const {
        auto job = JobView::make(JobKind::map, call->chunks());
        JobView const view{job.header()};
        heap::link(job.header(), 0, function);
        for (std::uint64_t i = 0; i < call->chunks(); ++i)
            JobView::store(view.input(i), detail::write_message([&](Writer& out) {
                at = reduction::dump_elements<X>(out, std::move(at), call->count(i));
            }));
        post(std::move(call), std::move(job), &detail::accept_values<R>, limits);
    }

private:
    void post(std::shared_ptr<Call> call, heap::Shared job,
              void (*accept)(Call&, std::uint64_t, Reader&), Limits limits) const {
        auto posted = std::make_shared<Posted>();
        posted->call = std::move(call);
        posted->job = std::move(job);
        posted->accept = accept;
        posted->limits = limits;
        supervisor()->submit(posted);
    }

    heap::SlotStamp maker_ = heap::my_stamp();
    std::shared_ptr<Supervisor> supervisor_;
};

}  // namespace multiprocessing::pool
