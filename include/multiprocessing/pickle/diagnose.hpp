// SPDX-License-Identifier: MIT
// multiprocessing/pickle/diagnose.hpp — one sentence for each reason why a type cannot be pickled.
// Layer 3 (pickling). Mirrors the messages of pickle.PicklingError.
//
// Compilers print the sentence and, beside it, the names of the function and of its arguments:
// `Culprit` is the type that cannot be pickled, `Inside` the one that was to be pickled.
#pragma once

#include <multiprocessing/pickle/concepts.hpp>

#include <type_traits>

namespace multiprocessing::detail {

template <class...>
inline constexpr bool never = false;

template <class Culprit, class Inside>
consteval bool diagnose_raw_pointer() {
    static_assert(
        never<Culprit>,
        "a raw pointer cannot cross a process boundary: hold the object itself, or hold it "
        "by std::unique_ptr or std::shared_ptr");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_reference() {
    static_assert(never<Culprit>,
                  "a reference cannot cross a process boundary: hold a value, or a handle of this "
                  "library such as Value or Queue");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_view() {
    static_assert(never<Culprit>,
                  "a view names memory of this process and cannot cross a process boundary: use "
                  "std::string for std::string_view, std::vector for std::span");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_capturing_lambda() {
    static_assert(never<Culprit>, "a lambda that captures cannot be pickled: bind values with "
                                  "mp::partial");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_function() {
    static_assert(never<Culprit>, "a function cannot be pickled by pickle.hpp alone: include "
                                  "<multiprocessing/reduction.hpp>");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_hiding_function() {
    static_assert(never<Culprit>,
                  "a std::function hides what it calls and cannot be pickled: pass the "
                  "function itself, or bind values with mp::partial");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_polymorphic_pointee() {
    static_assert(
        never<Culprit>,
        "a pointer to a polymorphic class would be cut down to its base: use std::variant, "
        "or specialise multiprocessing::pickle for the pointer type");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_union() {
    static_assert(never<Culprit>,
                  "a union does not tell which member it holds: use std::variant, or specialise "
                  "multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_base_class() {
    static_assert(never<Culprit>,
                  "an aggregate with a base class cannot be pickled member by member: specialise "
                  "multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_many_members() {
    static_assert(
        never<Culprit>,
        "an aggregate of more than 64 members cannot be pickled member by member: "
        "specialise multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_uncountable_members() {
    static_assert(
        never<Culprit>,
        "the members of this aggregate cannot be listed (a member that cannot be moved, or "
        "an array beside a member without default constructor): specialise "
        "multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_unbounded_array() {
    static_assert(never<Culprit>, "an array whose length is not in its type cannot be pickled: use "
                                  "std::vector");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_no_default_constructor() {
    static_assert(never<Culprit>,
                  "a class with pickle_members needs a default constructor: else specialise "
                  "multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)");
    return false;
}

template <class Culprit, class Inside>
consteval bool diagnose_plain_class() {
    static_assert(never<Culprit>,
                  "a class that is no aggregate cannot be pickled by itself: specialise "
                  "multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)");
    return false;
}

/// Stops the compilation with the sentence that fits T, if it is not Picklable.
template <class T>
consteval bool diagnose() {
    using Found = FaultOf<std::remove_cv_t<T>>;
    using Culprit = typename Found::type;
    if constexpr (Found::fault == Fault::raw_pointer) {
        diagnose_raw_pointer<Culprit, T>();
    } else if constexpr (Found::fault == Fault::reference) {
        diagnose_reference<Culprit, T>();
    } else if constexpr (Found::fault == Fault::view) {
        diagnose_view<Culprit, T>();
    } else if constexpr (Found::fault == Fault::capturing_lambda) {
        diagnose_capturing_lambda<Culprit, T>();
    } else if constexpr (Found::fault == Fault::function) {
        diagnose_function<Culprit, T>();
    } else if constexpr (Found::fault == Fault::hiding_function) {
        diagnose_hiding_function<Culprit, T>();
    } else if constexpr (Found::fault == Fault::polymorphic_pointee) {
        diagnose_polymorphic_pointee<Culprit, T>();
    } else if constexpr (Found::fault == Fault::union_type) {
        diagnose_union<Culprit, T>();
    } else if constexpr (Found::fault == Fault::base_class) {
        diagnose_base_class<Culprit, T>();
    } else if constexpr (Found::fault == Fault::many_members) {
        diagnose_many_members<Culprit, T>();
    } else if constexpr (Found::fault == Fault::uncountable_members) {
        diagnose_uncountable_members<Culprit, T>();
    } else if constexpr (Found::fault == Fault::unbounded_array) {
        diagnose_unbounded_array<Culprit, T>();
    } else if constexpr (Found::fault == Fault::no_default_constructor) {
        diagnose_no_default_constructor<Culprit, T>();
    } else if constexpr (Found::fault == Fault::plain_class) {
        diagnose_plain_class<Culprit, T>();
    }
    return true;
}

}  // namespace multiprocessing::detail
