// SPDX-License-Identifier: MIT
// multiprocessing/pickle/traits.hpp — every way to say how a type is pickled, in one place.
// Layer 3 (pickling). Mirrors __reduce__, __getstate__ and copyreg of Python.
//
// 1. Nothing. Arithmetic types, enums, the standard library's containers and value types, every
//    handle of this library, and aggregates of such members (up to 64, arrays too; no bit-fields
//    and no base class) are picklable as they are. A trivially copyable aggregate is copied
//    bytewise.
//    If it lies: an integer that is really an address arrives as a number that means nothing.
//
// 2. `static auto pickle_members(auto& self)`, a public member of a class with a default
//    constructor, returns `std::tie(self.a_, self.b_)`: these are written, and read into a
//    default-constructed object. Default: none.
//    If it lies: a member that is left out keeps its default.
//
// 3. `template <> struct multiprocessing::pickle<T>` with
//        static void dump(Writer& writer, T const& value);   // writer.write(value.x()); ...
//        static T load(Reader& reader);                      // return T(reader.read<int>(), ...);
//    for every other class. pickle/fwd.hpp alone is enough to declare it. Default: 1 or 2.
//    If it lies: load must read what dump wrote, in that order; else a value is wrong or an
//    UnpicklingError is thrown, but memory is never touched outside the message. Before it takes
//    memory for n elements, load asks `reader.read_count()`, not `read_size()`.
//
// 4. Optional members of such a pickle<T>:
//    `using parts = detail::Types<A, B>;` the types inside. They are then checked at compile time
//        and stand in the schema hash. Default: the type's name stands for all of it.
//        If it lies: a wrong type inside is found when it is written, with a worse message.
//    `static constexpr std::size_t min_size`, the fewest bytes dump ever writes. Default: 0.
//        If it lies: valid messages are refused.
//    `static constexpr bool nests = true` with `parts`: a T may hold a T. Default: without `parts`,
//        true. If it lies: a hostile message can exhaust the stack.
//
// 5. `template <> struct multiprocessing::pickle<T> : multiprocessing::pickle_bytewise<T> {};` for
//    a trivially copyable class that is no such aggregate. Default: a compile-time error.
//    If it lies, and T holds an address: the receiver follows it into memory that is not there.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/pickle/fields.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/pickle/types.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing {

/// Without a specialisation: a class with pickle_members, or an aggregate.
template <class T>
struct pickle {
    using generic = void;
    static void dump(Writer& writer, T const& value);
    static T load(Reader& reader);
};

/// The base of a pickle<T> for a trivially copyable class that holds no address.
template <class T>
struct pickle_bytewise {
    static_assert(std::is_trivially_copyable_v<T>,
                  "pickle_bytewise needs a trivially copyable type");
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind =
        detail::fnv1a(sizeof(T), detail::fnv1a(detail::type_name<T>()));
    static constexpr std::size_t min_size = sizeof(T);
    static constexpr bool bytewise = true;
    static void dump(Writer& writer, T const& value);
    static T load(Reader& reader);
};

namespace detail {

/// A pickle<T> that tells the types inside.
template <class T>
concept KnownPickle = requires {
    typename pickle<T>::parts;
};

/// No pickle<T> but the one above.
template <class T>
concept GenericPickle = requires {
    typename pickle<T>::generic;
};

template <class T>
concept DumpsAndLoads = requires(Writer& writer, Reader& reader, T const& value) {
    pickle<T>::dump(writer, value);
    { pickle<T>::load(reader) } -> std::same_as<T>;
};

/// A pickle<T> of which nothing is known but dump and load.
template <class T>
concept UserPickle = !KnownPickle<T> && !GenericPickle<T> && DumpsAndLoads<T>;

template <class T>
concept TiesMembers = requires(T& value, T const& constant) {
    T::pickle_members(value);
    T::pickle_members(constant);
};

template <class T>
concept WithMembers = std::is_class_v<T> && GenericPickle<T> && TiesMembers<T>;

/// An aggregate that speaks for itself.
template <class T>
concept PlainAggregate =
    std::is_class_v<T> && std::is_aggregate_v<T> && GenericPickle<T> && !WithMembers<T>;

template <class T>
concept CountedAggregate = PlainAggregate<T> && is_countable<T>;

template <class Tuple>
struct TiedTypes;
template <class... T>
struct TiedTypes<std::tuple<T&...>> {
    using type = Types<std::remove_cv_t<T>...>;
};
template <WithMembers T>
using MemberTypes = typename TiedTypes<decltype(T::pickle_members(std::declval<T&>()))>::type;

template <class T>
consteval bool find_bytewise();

/// Whether a T is written as its own bytes.
template <class T>
inline constexpr bool is_bytewise = find_bytewise<T>();

template <class... T>
consteval bool all_bytewise(Types<T...>) {
    return (is_bytewise<std::remove_cv_t<T>> && ...);
}

template <class T>
consteval bool find_bytewise() {
    if constexpr (std::is_array_v<T>) {
        return is_bytewise<std::remove_cv_t<std::remove_extent_t<T>>>;
    } else if constexpr (requires { pickle<T>::bytewise; }) {
        return pickle<T>::bytewise;
    } else if constexpr (PlainAggregate<T> && std::is_trivially_copyable_v<T>) {
        if constexpr (!std::is_empty_v<T> && CountedAggregate<T>) {
            return all_bytewise(FieldTypes<T>{});
        } else {
            return false;
        }
    } else {
        return false;
    }
}

/// Whether pickling a T may come back to a T, so that the depth has to be counted.
template <class T>
consteval bool find_nests() {
    if constexpr (requires { pickle<T>::nests; }) {
        return pickle<T>::nests;
    } else {
        return UserPickle<T>;
    }
}
template <class T>
inline constexpr bool nests = find_nests<T>();

template <class T>
consteval std::size_t find_min_size();

/// The fewest bytes a T is ever written as; 0 if that is not known.
template <class T>
inline constexpr std::size_t min_size = find_min_size<T>();

template <class... T>
consteval std::size_t sum_min_sizes(Types<T...>) {
    return (min_size<std::remove_cv_t<T>> + ... + std::size_t{0});
}

template <class T>
consteval std::size_t find_min_size() {
    if constexpr (std::is_array_v<T>) {
        return std::extent_v<T> * min_size<std::remove_cv_t<std::remove_extent_t<T>>>;
    } else if constexpr (requires { pickle<T>::min_size; }) {
        return pickle<T>::min_size;
    } else if constexpr (is_bytewise<T>) {
        return sizeof(T);
    } else if constexpr (WithMembers<T>) {
        return sum_min_sizes(MemberTypes<T>{});
    } else if constexpr (CountedAggregate<T>) {
        return sum_min_sizes(FieldTypes<T>{});
    } else {
        return 0;
    }
}

}  // namespace detail
}  // namespace multiprocessing
