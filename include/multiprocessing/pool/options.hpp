// SPDX-License-Identifier: MIT
// multiprocessing/pool/options.hpp — the keyword arguments of a pool and of its calls.
// Layer 6 (pool). Mirrors the signatures of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/async_result.hpp>
#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/reduction/partial.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

namespace multiprocessing {

namespace pool {

/// A message of the bytes that `write(Writer&)` writes, with the shared objects that they name.
/// Errors: PicklingError, MemoryError; nothing is left behind.
template <class Write>
heap::Hand write_message(Write write) {
    HeapCourier courier;
    Writer out{&courier};
    write(out);
    return to_message(out, courier);
}

template <class F, class... A>
using apply_result_t = reduction::task_result_t<reduction::stored_t<F>, reduction::stored_t<A>...>;

/// What a call for one element gives, and for a range of them.
template <class F, class Xs, reduction::Spread spread = reduction::Spread::no>
using map_result_t = reduction::map_result_t<std::remove_reference_t<F> const&,
                                             std::ranges::range_value_t<Xs>, spread>;
template <class F, class Xs, reduction::Spread spread = reduction::Spread::no>
using map_results_t = map_value_t<map_result_t<F, Xs, spread>>;

}  // namespace pool

/// What a worker calls first: a function without arguments; bind some with mp::partial.
/// Python: `initializer` and `initargs`.
class Initializer {
public:
    Initializer() = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, Initializer> &&
                 reduction::InvocableTask<F>)
    Initializer(F&& function)
        : write_([f = reduction::stored_t<F>(std::forward<F>(function))](Writer& out) {
              reduction::dump_target(out, f);
          }) {}

    template <class F>
        requires(PortableCallable<reduction::stored_t<F>> && !reduction::InvocableTask<F>)
    Initializer(F&&) {
        static_assert(reduction::diagnose_target<F>());
    }

    explicit operator bool() const { return write_ != nullptr; }

    /// Errors: PicklingError.
    void write(pool::WorkerOrder& order) const {
        if (!write_) return;
        HeapCourier courier;
        Writer out{&courier};
        write_(out);
        order.initializer.assign(out.bytes().begin(), out.bytes().end());
        order.handles.assign(courier.handles().begin(), courier.handles().end());
    }

private:
    std::function<void(Writer&)> write_;
};

struct PoolOptions {
    std::optional<int> processes = std::nullopt;
    Initializer initializer = {};
    std::optional<std::int64_t> maxtasksperchild = std::nullopt;  // chunks, as in Python
};

struct MapOptions {
    std::optional<std::int64_t> chunksize = std::nullopt;  // default: four chunks a worker
    unsigned retries = 0;  // how often a chunk is run again when its worker dies
};

template <class Results>
struct MapAsyncOptions {
    std::optional<std::int64_t> chunksize = std::nullopt;
    typename pool::Callbacks<Results>::Success callback = {};
    std::function<void(std::exception_ptr)> error_callback = {};
    unsigned retries = 0;
};

template <class F, class... A>
struct ApplyOptions {
    typename pool::Callbacks<pool::apply_result_t<F, A...>>::Success callback = {};
    std::function<void(std::exception_ptr)> error_callback = {};
    unsigned retries = 0;  // how often the task is run again when its worker dies
};

}  // namespace multiprocessing
