// SPDX-License-Identifier: MIT
// multiprocessing/reduction/callable.hpp — how functions and captureless functors are pickled.
// Layer 3 (pickling). Mirrors how Lib/pickle.py saves a function by reference.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/string.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/reduction/descriptor.hpp>
#include <multiprocessing/reduction/member_pointer.hpp>
#include <multiprocessing/reduction/place.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace multiprocessing {

namespace reduction {
namespace detail {

struct CallOperator {
    void operator()();
};
template <class F>
struct WithAnotherCallOperator : F, CallOperator {};

/// Whether F has a call operator, be it one, overloaded or a template: naming it becomes ambiguous.
template <class F>
consteval bool has_call_operator() {
    if constexpr (std::is_final_v<F>) return requires { &F::operator(); };
    else return !requires { &WithAnotherCallOperator<F>::operator(); };
}

/// The identity of a type alone, for what needs no code of ours to be read.
template <class F>
struct TypeOf {
    static constexpr Role role = Role::type;
    static constexpr std::string_view type_name = multiprocessing::detail::type_name<F>();
};

}  // namespace detail

template <class F>
concept FunctionPointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

/// A lambda that captures nothing, or a functor without state: nothing of it but its type travels.
template <class F>
concept CapturelessFunctor = std::is_class_v<F> && std::is_empty_v<F> &&
                             std::is_trivially_copyable_v<F> && detail::has_call_operator<F>();

}  // namespace reduction

namespace reduction {

/// How an argument is kept until it is used: by value, and a C string as a std::string, because the
/// characters of a literal lie elsewhere in another process.
template <class T>
struct stored {
    using type = std::decay_t<T>;
};
template <class T>
    requires std::is_same_v<std::decay_t<T>, char const*> || std::is_same_v<std::decay_t<T>, char*>
struct stored<T> {
    using type = std::string;
};
template <class T>
using stored_t = typename stored<T>::type;

/// Errors: PicklingError for a null function, which would otherwise crash the other process.
template <class F>
void require_callable(F const& function) {
    if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F>) {
        if (function == nullptr) throw PicklingError("a null pointer cannot be called");
    }
}

namespace detail {

/// A stateless functor out of nothing. A lambda with a capture-default has no default constructor,
/// even if it captures nothing.
template <class F>
F make_captureless() {
    if constexpr (std::is_default_constructible_v<F>) return F{};
    else return std::bit_cast<F>(std::array<std::byte, sizeof(F)>{});
}

/// What the pickles of functions have in common: their type is all of their schema.
template <class F>
struct PickleOfType {
    using parts = multiprocessing::detail::Types<>;
    static constexpr std::uint64_t kind = multiprocessing::detail::fnv1a(
        multiprocessing::detail::type_name<F>(), multiprocessing::detail::fnv1a("function"));
};

template <FunctionPointer F>
struct FunctionPickle : PickleOfType<F> {
    static void dump(Writer& out, F const& function) {
        dump_descriptor(out, Described<TypeOf<F>>::descriptor);
        put_byte(out, function != nullptr);
        if (function != nullptr)
            dump_code(out, reinterpret_cast<std::uintptr_t>(function),
                      &home_of(Described<TypeOf<F>>::descriptor));
    }
    static F load(Reader& in) {
        auto const* const home = require_descriptor<TypeOf<F>>(in);
        if (get_byte(in) == 0) return nullptr;
        return reinterpret_cast<F>(load_code(in, home));
    }
};

}  // namespace detail
}  // namespace reduction

template <class R, class... A>
struct pickle<R (*)(A...)> : reduction::detail::FunctionPickle<R (*)(A...)> {};
template <class R, class... A>
struct pickle<R (*)(A...) noexcept> : reduction::detail::FunctionPickle<R (*)(A...) noexcept> {};
template <class R, class... A>
struct pickle<R (*)(A..., ...)> : reduction::detail::FunctionPickle<R (*)(A..., ...)> {};
template <class R, class... A>
struct pickle<R (*)(A..., ...) noexcept>
    : reduction::detail::FunctionPickle<R (*)(A..., ...) noexcept> {};

template <reduction::CapturelessFunctor F>
struct pickle<F> : reduction::detail::PickleOfType<F> {
    static void dump(Writer& out, F const&) {
        reduction::dump_descriptor(
            out, reduction::Described<reduction::detail::TypeOf<F>>::descriptor);
    }
    static F load(Reader& in) {
        reduction::require_descriptor<reduction::detail::TypeOf<F>>(in);
        return reduction::detail::make_captureless<F>();
    }
};

template <class T>
    requires std::is_member_pointer_v<T>
struct pickle<T> : reduction::detail::PickleOfType<T> {
    static void dump(Writer& out, T const& member) {
        using Type = reduction::detail::TypeOf<T>;
        reduction::dump_descriptor(out, reduction::Described<Type>::descriptor);
        reduction::dump_member(out, member,
                               reduction::home_of(reduction::Described<Type>::descriptor));
    }
    static T load(Reader& in) {
        using Type = reduction::detail::TypeOf<T>;
        auto const* const home = reduction::require_descriptor<Type>(in);
        return reduction::load_member<T>(in, *home);
    }
};

/// Whether a stored F can cross a process boundary as the target of a Process or the task of a
/// Pool. Not whether it can be called with something; see reduction::InvocableTask.
template <class F>
concept PortableCallable = Picklable<F> && (reduction::FunctionPointer<F> ||
                                            std::is_member_pointer_v<F> || std::is_class_v<F>);

}  // namespace multiprocessing
