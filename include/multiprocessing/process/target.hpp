// SPDX-License-Identifier: MIT
// multiprocessing/process/target.hpp — what a process will run, of whatever type it is.
// Layer 5 (process). Mirrors Process.run of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::process {

/// What a child does. A forked one inherits it as it is, any other gets it written.
class ChildBody {
public:
    virtual ~ChildBody() = default;

    virtual void run() = 0;

    /// Writes what reduction::load_task reads.
    /// Errors: PicklingError for what cannot cross.
    virtual void dump(Writer& out) const = 0;

protected:
    ChildBody() = default;
    ChildBody(ChildBody const&) = default;
    ChildBody& operator=(ChildBody const&) = default;
};

/// A function and its arguments, kept until the child has them; run() may consume them.
class Target : public ChildBody {
public:
    /// Calls the function with copies of its arguments, if they can be copied.
    virtual void call() = 0;
};

/// F and A are stored types.
template <class F, class... A>
class TargetOf final : public Target {
public:
    template <class G, class... B>
    explicit TargetOf(std::in_place_t, G&& function, B&&... arguments)
        : function_(std::forward<G>(function)), arguments_(std::forward<B>(arguments)...) {}

    void run() override {
        std::apply([this](A&... a) { static_cast<void>(std::invoke(function_, std::move(a)...)); },
                   arguments_);
    }

    void call() override {
        if constexpr ((std::copy_constructible<A> && ...))
            std::apply([this](
                           A const&... a) { static_cast<void>(std::invoke(function_, A(a)...)); },
                       arguments_);
        else run();
    }

    void dump(Writer& out) const override {
        if constexpr (!PortableCallable<F>) {
            throw PicklingError(fmt::format(
                "cannot pickle the target '{}': it holds values and can only be inherited by fork; "
                "bind values with multiprocessing::partial instead of capturing them",
                multiprocessing::detail::type_name<F>()));
        } else if constexpr (!(Picklable<A> && ...)) {
            throw PicklingError(
                fmt::format("cannot pickle an argument of the target '{}': specialise "
                            "multiprocessing::pickle<T> for its type, or start the process by fork",
                            multiprocessing::detail::type_name<F>()));
        } else {
            std::apply([&](A const&... a) { reduction::dump_target(out, function_, a...); },
                       arguments_);
        }
    }

private:
    F function_;
    std::tuple<A...> arguments_;
};

template <class F, class... A>
std::unique_ptr<Target> make_target(F&& function, A&&... arguments) {
    using Made = TargetOf<reduction::stored_t<F>, reduction::stored_t<A>...>;
    return std::make_unique<Made>(std::in_place, std::forward<F>(function),
                                  std::forward<A>(arguments)...);
}

}  // namespace multiprocessing::process
