// SPDX-License-Identifier: MIT
// multiprocessing/pool/options.hpp — the keyword arguments of a pool and of its calls.
// Layer 6 (pool). Mirrors the signatures of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/async_result.hpp>
#include <multiprocessing/pool/call.hpp>
#include <multiprocessing/pool/initializer.hpp>
#include <multiprocessing/pool/progress.hpp>
#include <multiprocessing/reduction/map.hpp>
#include <multiprocessing/reduction/task.hpp>
#include <multiprocessing/timeout.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>

namespace multiprocessing {

namespace pool {

template <class F, class... A>
using apply_result_t = reduction::task_result_t<reduction::stored_t<F>, reduction::stored_t<A>...>;

/// What a call for one element gives, and for a range of them.
template <class F, class Xs, reduction::Spread spread = reduction::Spread::no>
using map_result_t = reduction::map_result_t<std::remove_reference_t<F> const&,
                                             std::ranges::range_value_t<Xs>, spread>;
template <class F, class Xs, reduction::Spread spread = reduction::Spread::no>
using map_results_t = map_value_t<map_result_t<F, Xs, spread>>;

/// A number that the caller gave as an option.
/// Errors: ValueError below 1.
inline std::uint64_t positive(char const* name, std::int64_t value) {
    if (value < 1)
        throw ValueError(std::string(name) + " must be 1 or more, not " + std::to_string(value));
    return static_cast<std::uint64_t>(value);
}

}  // namespace pool

struct PoolOptions {
    std::optional<int> processes = std::nullopt;
    Initializer initializer = {};
    std::optional<std::int64_t> maxtasksperchild = std::nullopt;  // chunks, as in Python
};

// retries: how often a task, or a chunk, is run again when its worker dies.
// task_timeout: how long one run of it may take; then its worker is killed and it fails with
// TimeoutError. A pool of threads can do neither, and ignores them.

template <class F, class... A>
struct ApplyOptions {
    typename pool::Callbacks<pool::apply_result_t<F, A...>>::Success callback = {};
    std::function<void(std::exception_ptr)> error_callback = {};
    unsigned retries = 0;
    Timeout task_timeout = {};
};

struct MapOptions {
    std::optional<std::int64_t> chunksize = std::nullopt;  // default: four chunks a worker
    unsigned retries = 0;
    Timeout task_timeout = {};
    Progress progress = {};
};

template <class Results>
struct MapAsyncOptions {
    std::optional<std::int64_t> chunksize = std::nullopt;
    typename pool::Callbacks<Results>::Success callback = {};
    std::function<void(std::exception_ptr)> error_callback = {};
    unsigned retries = 0;
    Timeout task_timeout = {};
    Progress progress = {};
};

struct ImapOptions {
    std::int64_t chunksize = 1;
    /// How many elements at most are read ahead of the results that were taken. Default: all, of a
    /// range that knows its length; a few for each worker, of any other.
    std::optional<std::int64_t> buffersize = std::nullopt;
    unsigned retries = 0;
    Timeout task_timeout = {};
};

}  // namespace multiprocessing
