// SPDX-License-Identifier: MIT
// multiprocessing/object/convert.hpp — Objects from C++ types, and back.
// Layer 3 (object). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/byte_array.hpp>
#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/convertible.hpp>
#include <multiprocessing/object/dict.hpp>
#include <multiprocessing/object/global.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/list.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/set.hpp>
#include <multiprocessing/object/tuple.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing {

namespace detail {

/// The kinds that an Object handle names.
template <class T>
inline constexpr ObjectKind handle_kind = ObjectKind::none;
template <>
inline constexpr ObjectKind handle_kind<List> = ObjectKind::list;
template <>
inline constexpr ObjectKind handle_kind<Tuple> = ObjectKind::tuple;
template <>
inline constexpr ObjectKind handle_kind<Dict> = ObjectKind::dict;
template <>
inline constexpr ObjectKind handle_kind<Set> = ObjectKind::set;
template <>
inline constexpr ObjectKind handle_kind<FrozenSet> = ObjectKind::frozen_set;
template <>
inline constexpr ObjectKind handle_kind<ByteArray> = ObjectKind::byte_array;
template <>
inline constexpr ObjectKind handle_kind<Global> = ObjectKind::global;
template <>
inline constexpr ObjectKind handle_kind<Instance> = ObjectKind::instance;

template <class T>
concept GrowingRange = RangeValue<T> && requires(T& range, ElementOf<T> element) {
    range.insert(range.end(), std::move(element));
};

/// Whether a T is made of an Object of such a kind.
template <class T>
bool reads_kind(Object const& object) noexcept {
    auto const kind = object.kind();
    if constexpr (std::same_as<T, Object>) return true;
    else if constexpr (std::same_as<T, NoneType>) return kind == ObjectKind::none;
    else if constexpr (std::same_as<T, bool>) return kind == ObjectKind::boolean;
    else if constexpr (IntegerValue<T>)
        return is_number(kind) && kind != ObjectKind::real;
    else if constexpr (std::floating_point<T>) return is_number(kind);
    else if constexpr (std::same_as<T, std::string>) return kind == ObjectKind::text;
    else if constexpr (std::same_as<T, Bytes>) return is_bytes(kind);
    else if constexpr (handle_kind<T> != ObjectKind::none) return kind == handle_kind<T>;
    else if constexpr (ComplexValue<T>)
        return kind == ObjectKind::complex || is_number(kind);
    else if constexpr (OptionalValue<T>)
        return kind == ObjectKind::none || reads_kind<typename T::value_type>(object);
    else if constexpr (MapValue<T>) return kind == ObjectKind::dict;
    else if constexpr (SetValue<T>) return is_set(kind);
    else if constexpr (GrowingRange<T> || TupleValue<T>)
        return kind == ObjectKind::list || kind == ObjectKind::tuple;
    else {
        static_assert(!std::same_as<T, T>, "an Object cannot become this type");
        return false;
    }
}

inline std::span<Object const> items_of(Object const& object) {
    if (object.kind() == ObjectKind::list) return node_as<ListNode>(object).value;
    return node_as<TupleNode>(object).items();
}

template <IntegerValue T>
T read_integer(Object const& object) {
    if (object.kind() != ObjectKind::big_integer) {
        auto const value = ObjectAccess::integer(object);
        if (std::in_range<T>(value)) return static_cast<T>(value);
    } else if constexpr (std::unsigned_integral<T> && sizeof(T) == sizeof(std::uint64_t)) {
        if (auto const value = node_as<IntegerNode>(object).value.as_uint64())
            return static_cast<T>(*value);
    }
    throw OverflowError(joined({"the int does not fit into ", type_name<T>()}));
}

inline double read_real(Object const& object) {
    if (object.kind() == ObjectKind::real) return ObjectAccess::real(object);
    if (object.kind() != ObjectKind::big_integer)
        return static_cast<double>(ObjectAccess::integer(object));
    auto const value = node_as<IntegerNode>(object).value.to_double();
    if (std::isinf(value)) throw OverflowError("int too large to convert to float");
    return value;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_length(std::size_t wanted,
                                                               std::size_t size) {
    throw ValueError(
        joined({"expected ", std::to_string(wanted), " items, got ", std::to_string(size)}));
}

template <class T, std::size_t... I>
T read_tuple(Object const& object, std::index_sequence<I...>) {
    auto const items = items_of(object);
    if (items.size() != sizeof...(I))
        throw_length(sizeof...(I), items.size());
    return T{items[I].template to<std::remove_cvref_t<std::tuple_element_t<I, T>>>()...};
}

template <class T>
T read_range(Object const& object) {
    T range{};
    for (auto const& item : items_of(object))
        range.insert(range.end(), item.template to<ElementOf<T>>());
    return range;
}

template <class T>
T read_map(Object const& object) {
    T map{};
    for (auto&& [key, value] : DictItems(object))
        map.emplace(key.template to<typename T::key_type>(),
                    value.template to<typename T::mapped_type>());
    return map;
}

template <class T>
T read_set(Object const& object) {
    T set{};
    for (auto const& item : object) set.insert(item.template to<typename T::key_type>());
    return set;
}

template <ComplexValue T>
Object from_complex(T const& value) {
    return ObjectAccess::complex(static_cast<double>(value.real()),
                                 static_cast<double>(value.imag()));
}

template <class T, std::size_t... I>
Object from_tuple(T const& value, std::index_sequence<I...>) {
    return Tuple(std::initializer_list<Object>{Object(std::get<I>(value))...});
}

}  // namespace detail

template <detail::ConvertibleFrom T>
Object::Object(T const& value) {
    if constexpr (detail::ComplexValue<T>) {
        *this = detail::from_complex(value);
    } else if constexpr (detail::OptionalValue<T>) {
        if (value.has_value()) *this = Object(*value);
    } else if constexpr (detail::MapValue<T const>) {
        *this = Dict(value);
    } else if constexpr (detail::SetValue<T const>) {
        *this = Set(value);
    } else if constexpr (detail::RangeValue<T const>) {
        *this = List(value);
    } else {
        *this = detail::from_tuple(value, std::make_index_sequence<std::tuple_size_v<T>>());
    }
}

template <class T>
bool Object::is() const noexcept {
    return detail::reads_kind<T>(*this);
}

template <class T>
T Object::to() const {
    if (!detail::reads_kind<T>(*this)) detail::throw_type(detail::type_name<T>(), *this);
    if constexpr (std::same_as<T, Object>) return *this;
    else if constexpr (std::same_as<T, NoneType>) return None;
    else if constexpr (std::same_as<T, bool>) return word_ != 0;
    else if constexpr (detail::IntegerValue<T>) return detail::read_integer<T>(*this);
    else if constexpr (std::floating_point<T>) return static_cast<T>(detail::read_real(*this));
    else if constexpr (std::same_as<T, std::string> || std::same_as<T, Bytes>)
        return T(detail::chars_of(*this));
    else if constexpr (detail::handle_kind<T> != ObjectKind::none) return T::of(*this);
    else if constexpr (detail::ComplexValue<T>) {
        using Part = typename T::value_type;
        if (kind_ != ObjectKind::complex) return T(static_cast<Part>(detail::read_real(*this)));
        auto const& parts = detail::node_as<detail::ComplexNode>(*this).value;
        return T(static_cast<Part>(parts.real), static_cast<Part>(parts.imag));
    } else if constexpr (detail::OptionalValue<T>) {
        return is_none() ? T() : T(to<typename T::value_type>());
    } else if constexpr (detail::MapValue<T>) {
        return detail::read_map<T>(*this);
    } else if constexpr (detail::SetValue<T>) {
        return detail::read_set<T>(*this);
    } else if constexpr (detail::GrowingRange<T>) {
        return detail::read_range<T>(*this);
    } else {
        return detail::read_tuple<T>(*this, std::make_index_sequence<std::tuple_size_v<T>>());
    }
}

}  // namespace multiprocessing
