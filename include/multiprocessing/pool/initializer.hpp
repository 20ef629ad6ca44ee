// SPDX-License-Identifier: MIT
// multiprocessing/pool/initializer.hpp — what a worker calls before its first task.
// Layer 6 (pool). Mirrors `initializer` and `initargs` of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/partial.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace multiprocessing {

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

}  // namespace multiprocessing
