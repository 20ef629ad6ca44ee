// SPDX-License-Identifier: MIT
// multiprocessing/reduction/task.hpp — a call, written for a reader who does not know its types.
// Layer 3 (pickling). Mirrors the (func, args, kwds) that Lib/multiprocessing/pool.py puts.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/diagnose.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/schema.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/reduction/callable.hpp>
#include <multiprocessing/reduction/descriptor.hpp>

#include <concepts>
#include <functional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing::reduction {

/// Whether a stored F can be called with stored arguments, once they have crossed.
template <class F, class... A>
concept InvocableTask = std::invocable<stored_t<F>&, stored_t<A>&&...>;

/// What a task gives back: `void`, or the value as it is stored.
template <class R>
struct task_result {
    using type = stored_t<R>;
};
template <class R>
    requires std::is_void_v<R>
struct task_result<R> {
    using type = void;
};
template <class F, class... A>
using task_result_t =
    typename task_result<std::invoke_result_t<stored_t<F>&, stored_t<A>&&...>>::type;

template <class R>
concept PortableResult = std::is_void_v<R> || Picklable<R>;

/// Whether `F(A...)` can be called in another process.
template <class F, class... A>
concept PortableTarget = PortableCallable<stored_t<F>> && (Picklable<stored_t<A>> && ...) &&
                         InvocableTask<F, A...>;

/// Whether its result can come back, too.
template <class F, class... A>
concept PortableTask = PortableTarget<F, A...> && PortableResult<task_result_t<F, A...>>;

// Each stops the compilation with one sentence, if there is a fault. What cannot be pickled is
// named by pickle/diagnose.hpp: the innermost type, such as a pointer among the members.

template <class F>
consteval bool diagnose_callable() {
    multiprocessing::detail::diagnose<F>();
    if constexpr (Picklable<F>)
        static_assert(PortableCallable<F>,
                      "the target is no function, lambda, functor or pointer to a member");
    return true;
}

template <class A>
consteval bool diagnose_argument() {
    return multiprocessing::detail::diagnose<A>();
}

template <class R>
consteval bool diagnose_result() {
    if constexpr (std::is_void_v<R>) return true;
    else return multiprocessing::detail::diagnose<R>();
}

/// For a call that never leaves the process, such as the start of a forked child.
template <class F, class... A>
consteval bool diagnose_call() {
    static_assert(InvocableTask<F, A...>,
                  "the target cannot be called with these arguments: compare their number and "
                  "types; they are passed as rvalues of their decayed types, a string literal as "
                  "std::string");
    return true;
}

/// If `F(A...)` is no PortableTarget.
template <class F, class... A>
consteval bool diagnose_target() {
    return diagnose_callable<stored_t<F>>() && (diagnose_argument<stored_t<A>>() && ...) &&
           diagnose_call<F, A...>();
}

/// If `F(A...)` is no PortableTask.
template <class F, class... A>
consteval bool diagnose_task() {
    diagnose_target<F, A...>();
    if constexpr (InvocableTask<F, A...>) diagnose_result<task_result_t<F, A...>>();
    return true;
}

namespace detail {

/// The function of a task whose instance is known already, so that its type need not be written.
template <class F>
struct BareFunction {
    static void dump(Writer& out, F const& function, Descriptor const& instance) {
        require_callable(function);
        if constexpr (FunctionPointer<F>)
            dump_code(out, reinterpret_cast<std::uintptr_t>(function), &home_of(instance));
        else if constexpr (!CapturelessFunctor<F>) out.write(function);
    }
    static F load(Reader& in, Descriptor const& instance) {
        if constexpr (FunctionPointer<F>) {
            return reinterpret_cast<F>(load_code(in, &home_of(instance)));
        } else if constexpr (CapturelessFunctor<F>) {
            return make_captureless<F>();
        } else if constexpr (std::is_member_pointer_v<F>) {
            F const member = in.read<F>();
            if (member == nullptr) in.fail("a null pointer to a member cannot be called");
            return member;
        } else {
            return in.read<F>();
        }
    }
};

struct TaskEntries {
    void (*run)(Reader& in, Writer* result);
    std::string_view function;
};

/// F and A are stored types. A target's result is dropped, so it need not be picklable.
template <bool KeepsResult, class F, class... A>
struct TaskOf {
    using Result = task_result_t<F, A...>;

    static void run(Reader& in, Writer* result) {
        F function = BareFunction<F>::load(in, Described<TaskOf>::descriptor);
        std::tuple<A...> arguments{in.read<A>()...};  // braces: read in order
        in.expect_end();
        auto const call = [&]() -> decltype(auto) {
            return std::apply(
                [&](A&... a) -> decltype(auto) { return std::invoke(function, std::move(a)...); },
                arguments);
        };
        if constexpr (KeepsResult && !std::is_void_v<Result>) {
            // A reference is written from where it points; nothing is copied for it.
            decltype(auto) value = call();
            if (result == nullptr) return;
            put_word(*result, schema_hash<Result>);
            if constexpr (std::is_same_v<Result, std::remove_cvref_t<decltype(value)>>)
                result->write(value);
            else result->write(Result(std::forward<decltype(value)>(value)));
        } else {
            static_cast<void>(call());
        }
    }

    static constexpr Role role = Role::task;
    static constexpr TaskEntries entries{&run, multiprocessing::detail::type_name<F>()};
};

template <class Instance, class F, class... A>
void dump_instance(Writer& out, F const& function, A const&... arguments) {
    dump_descriptor(out, Described<Instance>::descriptor);
    BareFunction<F>::dump(out, function, Described<Instance>::descriptor);
    (out.write(arguments), ...);
}

}  // namespace detail

/// Writes a call whose result will be wanted.
/// Errors: PicklingError from the function or an argument, such as a null function.
template <class F, class... A>
void dump_task(Writer& out, F const& function, A const&... arguments) {
    if constexpr (!PortableTask<F const&, A const&...>)
        diagnose_task<F const&, A const&...>();
    else
        detail::dump_instance<detail::TaskOf<true, stored_t<F const&>, stored_t<A const&>...>>(
            out, static_cast<stored_t<F const&> const&>(function),
            static_cast<stored_t<A const&> const&>(arguments)...);
}

/// Writes a call whose result will be dropped, of whatever type it is.
template <class F, class... A>
void dump_target(Writer& out, F const& function, A const&... arguments) {
    if constexpr (!PortableTarget<F const&, A const&...>)
        diagnose_target<F const&, A const&...>();
    else
        detail::dump_instance<detail::TaskOf<false, stored_t<F const&>, stored_t<A const&>...>>(
            out, static_cast<stored_t<F const&> const&>(function),
            static_cast<stored_t<A const&> const&>(arguments)...);
}

/// Reads a result that a task of this type wrote.
/// Errors: UnpicklingError if it is another type's.
template <class R>
R load_result(Reader& in) {
    if constexpr (!std::is_void_v<R>) {
        if (detail::get_word(in) != schema_hash<R>) in.fail("a result of another type");
        return in.read<R>();
    }
}

/// A call that has been recognised and not been read further.
class Task {
public:
    /// Reads function and arguments, with which the bytes must end, from where load_task stopped;
    /// then calls and writes the result, if there is one and a Writer for it. What the call throws
    /// comes out as it is.
    /// Errors: UnpicklingError before the call, PicklingError after it.
    void run(Reader& in, Writer* result = nullptr) const { entries_->run(in, result); }

    /// The type of the function, for messages.
    [[nodiscard]] std::string_view function() const noexcept { return entries_->function; }

private:
    friend Task load_task(Reader& in);
    explicit Task(detail::TaskEntries const& entries) : entries_(&entries) {}

    detail::TaskEntries const* entries_;
};

/// Recognises what dump_task or dump_target wrote. Nothing is called yet.
/// Errors: UnpicklingError for bytes that name no task of this program.
inline Task load_task(Reader& in) {
    Descriptor const& descriptor = load_descriptor(in, Role::task);
    return Task(*static_cast<detail::TaskEntries const*>(descriptor.entries));
}

}  // namespace multiprocessing::reduction
