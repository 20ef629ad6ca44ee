// SPDX-License-Identifier: MIT
// multiprocessing/pickle/concepts.hpp — what can be pickled, and what is wrong with the rest.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/pickle/traits.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

namespace multiprocessing::detail {

/// Why a type cannot be pickled. Each has its sentence in pickle/diagnose.hpp.
enum class Fault {
    none,
    raw_pointer,
    reference,
    view,
    capturing_lambda,
    function,
    hiding_function,
    polymorphic_pointee,
    union_type,
    base_class,
    many_members,
    uncountable_members,
    unbounded_array,
    no_default_constructor,
    plain_class,
};

/// A fault and the innermost type that has it.
template <Fault F, class T>
struct Finding {
    static constexpr Fault fault = F;
    using type = T;
};

template <class T>
inline constexpr bool is_view = false;
template <class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;
template <class T>
inline constexpr bool is_view<std::initializer_list<T>> = true;

template <class T, class... Outer>
consteval auto find_fault();

template <class... Outer>
consteval auto first_fault(Types<>) {
    return Finding<Fault::none, void>{};
}
template <class... Outer, class First, class... Rest>
consteval auto first_fault(Types<First, Rest...>) {
    using Found = decltype(find_fault<std::remove_cv_t<First>, Outer...>());
    if constexpr (Found::fault != Fault::none) {
        return Found{};
    } else {
        return first_fault<Outer...>(Types<Rest...>{});
    }
}

// The fault of a type that has no pickle<T> and no members to look into.
template <class T>
consteval Fault own_fault() {
    if constexpr (std::is_reference_v<T>) {
        return Fault::reference;
    } else if constexpr (std::is_function_v<std::remove_pointer_t<T>> ||
                         std::is_member_pointer_v<T>) {
        return Fault::function;
    } else if constexpr (std::is_pointer_v<T> || std::is_null_pointer_v<T>) {
        return Fault::raw_pointer;
    } else if constexpr (is_view<T>) {
        return Fault::view;
    } else if constexpr (std::is_unbounded_array_v<T>) {
        return Fault::unbounded_array;
    } else if constexpr (std::is_union_v<T>) {
        return Fault::union_type;
    } else if constexpr (StdType<T>) {
        constexpr std::string_view name = type_name<T>();
        return name.starts_with("std::reference_wrapper<") ? Fault::reference
               : name.find("function<") != name.npos       ? Fault::hiding_function
                                                           : Fault::plain_class;
    } else if constexpr (std::is_class_v<T> && is_lambda<T>()) {
        return std::is_empty_v<T> ? Fault::function : Fault::capturing_lambda;
    } else {
        return Fault::plain_class;
    }
}

template <class T>
consteval Fault aggregate_fault() {
    switch (field_count<T>) {
    case has_base_class: return Fault::base_class;
    case has_reference: return Fault::reference;
    case too_many_fields: return Fault::many_members;
    default: return Fault::uncountable_members;
    }
}

// Whether all elements can be read in one braced list, which an array in the middle prevents.
template <class... T>
consteval bool has_array_among(Types<T...>) {
    return (std::is_array_v<T> || ...);
}

/// Looks through T for what cannot be pickled; Outer are the types that T was found in.
template <class T, class... Outer>
consteval auto find_fault() {
    if constexpr (is_among<T, Outer...>) {
        return Finding<Fault::none, void>{};
    } else if constexpr (std::is_bounded_array_v<T>) {
        return first_fault<Outer...>(Types<std::remove_extent_t<T>>{});
    } else if constexpr (!std::is_object_v<T> || std::is_unbounded_array_v<T>) {
        return Finding<own_fault<T>(), T>{};
    } else if constexpr (requires { typename pickle<T>::pointee; }) {
        using Pointee = typename pickle<T>::pointee;
        if constexpr (std::is_array_v<Pointee> || !std::is_object_v<Pointee>) {
            return Finding < std::is_array_v<Pointee> ? Fault::unbounded_array : Fault::plain_class,
                   T > {};
        } else if constexpr (std::is_polymorphic_v<Pointee> && !std::is_final_v<Pointee>) {
            return Finding<Fault::polymorphic_pointee, T>{};
        } else {
            return first_fault<T, Outer...>(Types<Pointee>{});
        }
    } else if constexpr (KnownPickle<T>) {
        return first_fault<T, Outer...>(typename pickle<T>::parts{});
    } else if constexpr (UserPickle<T>) {
        return Finding<Fault::none, void>{};
    } else if constexpr (WithMembers<T>) {
        if constexpr (!std::is_default_constructible_v<T>) {
            return Finding<Fault::no_default_constructor, T>{};
        } else {
            return first_fault<T, Outer...>(MemberTypes<T>{});
        }
    } else if constexpr (PlainAggregate<T> && !StdType<T> && !is_view<T>) {
        if constexpr (CountedAggregate<T>) {
            if constexpr (!is_bytewise<T> && has_array_among(FieldTypes<T>{}) &&
                          !std::is_default_constructible_v<T>) {
                return Finding<Fault::uncountable_members, T>{};
            } else {
                return first_fault<T, Outer...>(FieldTypes<T>{});
            }
        } else {
            return Finding<aggregate_fault<T>(), T>{};
        }
    } else {
        return Finding<own_fault<T>(), T>{};
    }
}

template <class T>
using FaultOf = decltype(find_fault<T>());

}  // namespace multiprocessing::detail

namespace multiprocessing {

/// A T can be written by one process and read by another.
/// Python: what `pickle.dumps` does not refuse.
template <class T>
concept Picklable = detail::FaultOf<std::remove_cv_t<T>>::fault == detail::Fault::none;

/// A Picklable that is always `sizeof(T)` bytes long, names no shared object and no function, and
/// can be copied as it lies in memory.
template <class T>
concept BytewisePicklable = Picklable<T> && detail::is_bytewise<std::remove_cv_t<T>>;

}  // namespace multiprocessing
