// SPDX-License-Identifier: MIT
// multiprocessing/pickle/field_count.hpp — how many members an aggregate has.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace multiprocessing::detail {

/// Aggregates with more members need a pickle<T> of their own.
inline constexpr int field_limit = 40;

/// What count_fields says when it cannot count.
inline constexpr int too_many_fields = -1;
inline constexpr int has_base_class = -2;
inline constexpr int not_countable = -3;

/// Stands for a member of any type while counting. It is never run; a compiler may still look for a
/// definition when it weighs a constexpr constructor.
template <class Owner>
struct Anything {
    template <class U>
        requires(!std::same_as<U, Owner>)
    operator U&() const& noexcept { std::terminate(); }
    template <class U>
        requires(!std::same_as<U, Owner>)
    operator U&&() const&& noexcept { std::terminate(); }
};

/// Stands for a base class, which an aggregate initialises before its members.
template <class Owner>
struct AnyBase {
    template <class U>
        requires(std::is_base_of_v<U, Owner> && !std::same_as<U, Owner>)
    operator U() const noexcept { std::terminate(); }
};

/// Converts to nothing.
struct Stranger {};

/// Whether T{{}, {}, ... N times, Tail{}...} is valid. An empty pair of braces stands for exactly
/// one member, an array too, where an expression would stand for one element of the array.
/// A list of braces cannot be written as a pack.
template <class T, std::size_t N, class... Tail>
consteval bool takes_braces() {
    if constexpr (N == 0) {
        return requires { T{Tail{}...}; };
    } else if constexpr (N == 1) {
        return requires { T{{}, Tail{}...}; };
    } else if constexpr (N == 2) {
        return requires { T{{}, {}, Tail{}...}; };
    } else if constexpr (N == 3) {
        return requires { T{{}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 4) {
        return requires { T{{}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 5) {
        return requires { T{{}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 6) {
        return requires { T{{}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 7) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 8) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 9) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 10) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 11) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 12) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 13) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 14) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...}; };
    } else if constexpr (N == 15) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 16) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 17) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 18) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 19) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 20) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 21) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 22) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 23) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 24) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 25) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 26) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 27) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 28) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 29) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 30) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 31) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 32) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 33) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 34) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 35) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 36) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 37) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 38) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 39) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {}, {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    } else if constexpr (N == 40) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},       {},
              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Tail{}...};
        };
    }
    return false;
}

template <class T, std::size_t N = 0>
consteval int count_braces() {
    if constexpr (static_cast<int>(N) > field_limit) {
        return too_many_fields;
    } else if constexpr (static_cast<int>(N) < field_limit && takes_braces<T, N + 1>()) {
        return count_braces<T, N + 1>();
    } else if constexpr (takes_braces<T, N, Anything<T>>()) {
        return static_cast<int>(N) == field_limit ? too_many_fields : not_countable;
    } else {
        return static_cast<int>(N);
    }
}

// Before, and AsMany of them in braces of their own, and After.
template <class T, std::size_t... Before, std::size_t... Inner, std::size_t... After>
consteval bool takes_groups(std::index_sequence<Before...>, std::index_sequence<Inner...>,
                            std::index_sequence<After...>) {
    return requires {
        T{(void(Before), Anything<T>{})...,
          {(void(Inner), Anything<T>{})...},
          (void(After), Anything<T>{})...};
    };
}

template <class T, std::size_t... I>
consteval bool takes_anything(std::index_sequence<I...>) {
    return requires { T{(void(I), Anything<T>{})...}; };
}

/// Whether the member at `At` is an array of `Size` elements, given that all of T's members
/// together take `N` expressions.
template <class T, std::size_t N, std::size_t At, std::size_t Size>
consteval bool has_array() {
    if constexpr (At + Size > N) {
        if constexpr (At + 2 < N) {
            return has_array<T, N, At + 1, 2>();
        } else {
            return false;
        }
    } else {
        using Before = std::make_index_sequence<At>;
        using Inner = std::make_index_sequence<Size>;
        constexpr std::size_t rest = N - At - Size;
        if constexpr (takes_groups<T>(Before{}, Inner{}, std::make_index_sequence<rest>{}) &&
                      !takes_groups<T>(Before{}, Inner{}, std::make_index_sequence<rest + 1>{})) {
            return true;
        } else {
            return has_array<T, N, At, Size + 1>();
        }
    }
}

/// For an aggregate whose members cannot all be made from empty braces.
template <class T, std::size_t N = static_cast<std::size_t>(field_limit) + 1>
consteval int count_anything() {
    if constexpr (takes_anything<T>(std::make_index_sequence<N>{})) {
        if constexpr (static_cast<int>(N) > field_limit) {
            return too_many_fields;
        } else if constexpr (has_array<T, N, 0, 2>()) {
            return not_countable;
        } else {
            return static_cast<int>(N);
        }
    } else if constexpr (N > 0) {
        return count_anything<T, N - 1>();
    } else {
        return not_countable;
    }
}

// A first member that can be made from anything at all is no base class.
template <class T, std::size_t... I>
consteval bool base_comes_first(std::index_sequence<I...>) {
    return requires { T{AnyBase<T>{}, (void(I), Anything<T>{})...}; }
    &&!requires { T{Stranger{}, (void(I), Anything<T>{})...}; };
}

/// The number of members of the aggregate T, or one of the three negative answers above.
template <class T>
consteval int count_fields() {
    constexpr int by_braces = count_braces<T>();
    if constexpr (by_braces == too_many_fields) {
        return too_many_fields;
    } else if constexpr (by_braces != not_countable && requires { T{}; }) {
        return base_comes_first<T>(std::make_index_sequence<0>{}) ? has_base_class : by_braces;
    } else {
        constexpr int by_anything = count_anything<T>();
        if constexpr (by_anything > 0) {
            constexpr auto rest = static_cast<std::size_t>(by_anything - 1);
            return base_comes_first<T>(std::make_index_sequence<rest>{}) ? has_base_class
                                                                         : by_anything;
        } else {
            return by_anything;
        }
    }
}

template <class T>
inline constexpr int field_count = count_fields<T>();
template <class T>
inline constexpr bool is_countable = field_count<T> >= 0;

}  // namespace multiprocessing::detail
