// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/barrier_action.hpp — what the last to arrive at a barrier calls.
// Layer 3 (pickling). Mirrors the `action` of threading.Barrier.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace multiprocessing {

/// A function without arguments, of whatever type; its result is dropped. Bind values with
/// mp::partial. A lambda that captures can only be inherited by fork.
class BarrierAction {
    struct Kept {
        virtual ~Kept() = default;
        virtual void run() = 0;
        virtual bool write(Writer& out) const = 0;
    };
    template <class F>
    struct KeptFunction final : Kept {
        explicit KeptFunction(F function) : function_(std::move(function)) {}
        void run() override { static_cast<void>(function_()); }
        bool write([[maybe_unused]] Writer& out) const override {
            if constexpr (PortableCallable<F>) reduction::dump_target(out, function_);
            return PortableCallable<F>;
        }
        F function_;
    };

public:
    BarrierAction() = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, BarrierAction> &&
                 reduction::InvocableTask<F>)
    BarrierAction(F&& function)
        : kept_(std::make_shared<KeptFunction<reduction::stored_t<F>>>(
              reduction::stored_t<F>(std::forward<F>(function)))) {}

    explicit operator bool() const { return kept_ != nullptr; }
    void operator()() const { kept_->run(); }

    /// Writes it, if there is one. False when it cannot be called in another process.
    /// Errors: PicklingError from a value that it holds.
    bool write(Writer& out) const { return !kept_ || kept_->write(out); }

    /// Calls what `write` has written. The header's links are the handles that it holds.
    static void run(heap::Header& header, std::span<std::byte const> written) {
        MessageHandles handles{header};
        Reader in{written, Origin::tree, &handles};
        reduction::load_task(in).run(in);
    }

    [[noreturn]] static void refuse() {
        throw PicklingError("cannot pickle the action of a Barrier: it holds values and can only "
                            "be inherited by fork; bind values with multiprocessing::partial "
                            "instead of capturing them");
    }

private:
    std::shared_ptr<Kept> kept_;
};

}  // namespace multiprocessing
