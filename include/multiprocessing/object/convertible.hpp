// SPDX-License-Identifier: MIT
// multiprocessing/object/convertible.hpp — which C++ types become an Object of their own accord.
// Layer 3 (object). Mirrors no Python file.
#pragma once

#include <multiprocessing/fwd.hpp>
#include <multiprocessing/object/bytes.hpp>
#include <multiprocessing/object/kind.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing::detail {

/// The base of List, Tuple, Dict ...; they have conversions of their own.
class ObjectHandle;

/// For those that build Objects: what stands in them.
struct ObjectAccess;

template <class T>
concept CharacterValue =
    std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

/// A number, not a character or a bool.
template <class T>
concept IntegerValue = std::integral<T> && !std::same_as<T, bool> && !CharacterValue<T>;

template <class T>
concept TextValue = std::convertible_to<T const&, std::string_view>;

template <class T>
concept ComplexValue = requires(T const& x) {
    typename T::value_type;
    { x.real() } -> std::same_as<typename T::value_type>;
    { x.imag() } -> std::same_as<typename T::value_type>;
};

template <class T>
concept OptionalValue = requires(T const& x) {
    typename T::value_type;
    { x.has_value() } -> std::same_as<bool>;
    { *x } -> std::convertible_to<typename T::value_type const&>;
};

template <class T>
concept TupleValue = requires {
    std::tuple_size<T>::value;
};

template <class T>
concept RangeValue = requires(T& x) {
    { std::begin(x) } -> std::input_iterator;
    std::end(x);
};
template <RangeValue T>
using ElementOf = std::iter_value_t<decltype(std::begin(std::declval<T&>()))>;

template <class T>
concept MapValue = RangeValue<T> && requires {
    typename T::key_type;
    typename T::mapped_type;
};
template <class T>
concept SetValue = RangeValue<T> && !MapValue<T> && requires {
    typename T::key_type;
};

/// A class that is no text and has no constructor of Object for itself.
template <class T>
concept ClassValue = std::is_class_v<T> && !std::same_as<T, Object> && !std::same_as<T, Bytes> &&
                     !TextValue<T> && !std::is_base_of_v<ObjectHandle, T>;

template <class T>
consteval bool converts_alone();

template <class T>
concept ConvertibleFrom = ClassValue<T> && converts_alone<T>();

template <class T>
inline constexpr bool is_object_value =
    std::same_as<T, Object> || std::is_base_of_v<ObjectHandle, T> || std::same_as<T, bool> ||
    IntegerValue<T> || std::floating_point<T> || std::same_as<T, NoneType> ||
    std::same_as<T, Bytes> || TextValue<T> || ConvertibleFrom<T>;

template <class Tuple, std::size_t... I>
consteval bool all_convert(std::index_sequence<I...>) {
    return (is_object_value<std::remove_cvref_t<std::tuple_element_t<I, Tuple>>> && ...);
}

/// Whether what is in a T becomes Objects.
template <class T>
consteval bool converts_alone() {
    if constexpr (ComplexValue<T>) {
        return std::floating_point<typename T::value_type>;
    } else if constexpr (OptionalValue<T>) {
        return is_object_value<typename T::value_type>;
    } else if constexpr (RangeValue<T const>) {
        using Element = ElementOf<T const>;  // of a path: a path
        return !std::same_as<Element, T> &&
               is_object_value<std::conditional_t<std::same_as<Element, T>, bool, Element>>;
    } else if constexpr (TupleValue<T>) {
        return all_convert<T>(std::make_index_sequence<std::tuple_size<T>::value>());
    } else {
        return false;
    }
}

}  // namespace multiprocessing::detail
