// SPDX-License-Identifier: MIT
// multiprocessing/object/kind.hpp — what an Object can be, and None.
// Layer 3 (object). Mirrors Python's built-in types.
#pragma once

#include <cstdint>
#include <string_view>

namespace multiprocessing {

/// What an Object holds. An int within 64 bits and a larger one are one type to Python.
/// Python: `type(x)`.
enum class ObjectKind : std::uint8_t {
    none,
    boolean,
    integer,
    real,
    // From here on the value lies in a node of its own.
    big_integer,
    complex,
    text,
    bytes,
    byte_array,
    tuple,
    list,
    dict,
    set,
    frozen_set,
    global,    // a class or function by its name
    instance,  // what a class or function would make of arguments
};

/// The type of None.
/// Python: `NoneType`.
struct NoneType {
    constexpr bool operator==(NoneType const&) const = default;
};

/// Python: `None`.
inline constexpr NoneType None{};

namespace detail {

/// Python: `type(x).__name__`, for what is no instance of another class.
constexpr std::string_view kind_name(ObjectKind kind) {
    switch (kind) {
    case ObjectKind::none: return "NoneType";
    case ObjectKind::boolean: return "bool";
    case ObjectKind::integer:
    case ObjectKind::big_integer: return "int";
    case ObjectKind::real: return "float";
    case ObjectKind::complex: return "complex";
    case ObjectKind::text: return "str";
    case ObjectKind::bytes: return "bytes";
    case ObjectKind::byte_array: return "bytearray";
    case ObjectKind::tuple: return "tuple";
    case ObjectKind::list: return "list";
    case ObjectKind::dict: return "dict";
    case ObjectKind::set: return "set";
    case ObjectKind::frozen_set: return "frozenset";
    case ObjectKind::global: return "type";
    case ObjectKind::instance: break;
    }
    return "object";
}

}  // namespace detail
}  // namespace multiprocessing
