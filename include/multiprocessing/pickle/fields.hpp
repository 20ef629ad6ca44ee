// SPDX-License-Identifier: MIT
// multiprocessing/pickle/fields.hpp — the members of an aggregate, by Boost.PFR.
// Layer 3 (pickling). Mirrors no Python file.
//
// PFR names the members and is told how many there are. Its own count takes the elements of a C
// array for members, is a hard error for a base class, for std::optional<std::unique_ptr<X>> and,
// with clang, for std::vector<std::unique_ptr<X>>, and a std::array<std::string, N> crashes g++ 12
// in it. Told a wrong number, or of a bit-field, it does not compile.
#pragma once

#include <multiprocessing/pickle/types.hpp>

#include <boost/pfr/core.hpp>
#include <boost/preprocessor/repetition/repeat.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace multiprocessing::detail {

/// Aggregates with more members need a pickle<T> of their own.
inline constexpr int field_limit = 64;

/// What field_count says when it cannot count.
inline constexpr int too_many_fields = -1;
inline constexpr int has_base_class = -2;
inline constexpr int has_reference = -3;
inline constexpr int not_countable = -4;

// What stands for a member while counting. None is ever run; a compiler may still look for a
// definition when it weighs a constexpr constructor.

/// Becomes a member of any type.
template <class Owner>
struct Anything {
    template <class U>
        requires(!std::same_as<U, Owner>)
    operator U&() const& noexcept { std::terminate(); }
    template <class U>
        requires(!std::same_as<U, Owner>)
    operator U&&() const&& noexcept { std::terminate(); }
};

/// Becomes a value of any type or an `X&&`, and no `X&`.
template <class Owner>
struct AnyValue {
    template <class U>
        requires(!std::is_reference_v<U> && !std::same_as<U, Owner>)
    operator U() const noexcept { std::terminate(); }
};

/// Becomes an `X const&`, and no value.
struct AnyConstant {
    template <class U>
        requires std::is_const_v<U>
    operator U&() const noexcept { std::terminate(); }
};

/// Becomes a base class, which an aggregate initialises before its members.
template <class Owner>
struct AnyBase {
    template <class U>
        requires(std::is_base_of_v<U, Owner> && !std::same_as<U, Owner>)
    operator U() const noexcept { std::terminate(); }
};

/// Becomes nothing.
struct Stranger {};

/// The number of members, if each can be made from empty braces. A pair of them stands for exactly
/// one member, an array too, but cannot be written as a pack.
template <class T>
consteval int count_braces() {
#define MULTIPROCESSING_BRACES(z, n, unused) {},
#define MULTIPROCESSING_COUNT(z, n, unused)                                                     \
    if constexpr (!requires { T{BOOST_PP_REPEAT_##z(n, MULTIPROCESSING_BRACES, ) {}}; }) {      \
        using Next = Anything<T>;                                                               \
        constexpr bool more = requires {                                                        \
            T{BOOST_PP_REPEAT_##z(n, MULTIPROCESSING_BRACES, ) Next{}};                         \
        };                                                                                      \
        return more || !requires { T{}; } ? not_countable : n;                                  \
    } else
    BOOST_PP_REPEAT(65, MULTIPROCESSING_COUNT, )
    return too_many_fields;
#undef MULTIPROCESSING_COUNT
#undef MULTIPROCESSING_BRACES
}

/// The number of members, if each can be made from an expression. In parentheses an expression
/// stands for exactly one member, but never for an array.
template <class T, class... First>
consteval int count_expressions() {
    constexpr bool valid = sizeof...(First) != 0 && std::is_constructible_v<T, First...>;
    if constexpr (valid && !std::is_constructible_v<T, First..., Anything<T>>) {
        return requires { T(First{}..., {}); } ? not_countable : static_cast<int>(sizeof...(First));
    } else if constexpr (sizeof...(First) > field_limit) {
        return valid ? too_many_fields : not_countable;
    } else {
        return count_expressions<T, First..., Anything<T>>();
    }
}

// A first member that can be made from anything at all is no base class.
template <class T, std::size_t... Rest>
consteval bool base_comes_first(std::index_sequence<Rest...>) {
    return requires { T(AnyBase<T>{}, (void(Rest), Anything<T>{})...); } &&
           !requires { T(Stranger{}, (void(Rest), Anything<T>{})...); };
}

/// The number of members of the aggregate T, or a negative answer. References count as values.
template <class T>
consteval int count_members() {
    // No reference can be assigned; in a pair of braces it would not be seen.
    constexpr int by_braces = std::is_move_assignable_v<T> ? count_braces<T>() : not_countable;
    if constexpr (by_braces != not_countable) {
        return base_comes_first<T>(std::index_sequence<>{}) ? has_base_class : by_braces;
    } else {
        constexpr int count = count_expressions<T>();
        constexpr std::size_t rest = count > 0 ? static_cast<std::size_t>(count) - 1 : 0;
        return base_comes_first<T>(std::make_index_sequence<rest>{}) ? has_base_class : count;
    }
}

/// References to the members of x, of which there are N.
template <std::size_t N, class T>
constexpr auto tie_fields(T& x) noexcept {
    namespace pfr = boost::pfr::detail;
    return pfr::tie_as_tuple(x, pfr::size_t_<N>{});  // An error? A bit-field needs a pickle<T>.
}
template <std::size_t N, class T>
using FieldTie = decltype(tie_fields<N>(std::declval<T&>()));

template <class Tie>
struct TiedFields;
template <class... Field>
struct TiedFields<boost::pfr::detail::sequence_tuple::tuple<Field&...>> {
    using type = Types<Field...>;
};

template <class T, class Member, std::size_t... Before, std::size_t... After>
consteval bool takes_at(std::index_sequence<Before...>, std::index_sequence<After...>) {
    using Next = Anything<T>;
    return requires {
        T((void(Before), Next{})..., std::declval<Member>(), (void(After), Next{})...);
    };
}

// A tie does not tell a reference from a value.
template <class T, class Field, std::size_t I, std::size_t Count>
consteval bool is_reference() {
    using Before = std::make_index_sequence<I>;
    using After = std::make_index_sequence<Count - 1 - I>;
    return takes_at<T, AnyConstant>(Before{}, After{}) ||
           !takes_at<T, AnyValue<T>>(Before{}, After{}) ||
           (std::is_copy_constructible_v<Field> &&
            !takes_at<T, std::remove_const_t<Field>&>(Before{}, After{}));
}
template <class T, class... Field, std::size_t... I>
consteval bool any_reference(Types<Field...>, std::index_sequence<I...>) {
    return (is_reference<T, Field, I, sizeof...(I)>() || ...);
}

/// The number of members of the aggregate T, or one of the negative answers above.
template <class T>
consteval int count_fields() {
    constexpr int count = count_members<T>();
    if constexpr (count >= 0 && !std::is_move_assignable_v<T>) {
        constexpr auto n = static_cast<std::size_t>(count);
        using Fields = typename TiedFields<FieldTie<n, T>>::type;
        return any_reference<T>(Fields{}, std::make_index_sequence<n>{}) ? has_reference : count;
    } else {
        return count;
    }
}

template <class T>
inline constexpr int field_count = count_fields<T>();
template <class T>
inline constexpr bool is_countable = field_count<T> >= 0;

/// The types of the members of an aggregate that can be counted.
template <class T>
using FieldTypes =
    typename TiedFields<FieldTie<static_cast<std::size_t>(field_count<T>), T>>::type;

/// Calls f with all members of an aggregate that can be counted.
template <class T, class F>
constexpr decltype(auto) with_fields(T& x, F&& f) {
    constexpr auto count = static_cast<std::size_t>(field_count<std::remove_const_t<T>>);
    auto fields = tie_fields<count>(x);
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
        return f(boost::pfr::detail::sequence_tuple::get<I>(fields)...);
    }(std::make_index_sequence<count>{});
}

}  // namespace multiprocessing::detail
