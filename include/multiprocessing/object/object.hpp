// SPDX-License-Identifier: MIT
// multiprocessing/object/object.hpp — a value of any of Python's built-in types.
// Layer 3 (object). Mirrors object of Python.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/fwd.hpp>
#include <multiprocessing/object/bytes.hpp>
#include <multiprocessing/object/convertible.hpp>
#include <multiprocessing/object/kind.hpp>
#include <multiprocessing/object/node.hpp>

#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace multiprocessing {

class ObjectItem;
class ObjectIterator;

/// None, a bool, int of any size, float, complex, str, bytes, bytearray, List, Tuple, Dict, Set,
/// FrozenSet, or what only Python knows (Global, Instance). Text is UTF-8.
///
/// Copies of a list, dict, set or bytearray name the same one, as in Python; all else is immutable,
/// so that it makes no difference.
/// Shape: 16 bytes; ints of 64 bits and floats lie inside, the rest is counted.
/// Sharing: a value; the list, dict or set behind copies in several threads needs a lock. Pickled,
///     it is a copy, in which what was one list is one list again.
/// Python: `object`, as far as a pickle of plain data can hold it.
/// Differs: lists, dicts and sets that contain themselves are freed only after `clear()` on one of
///     the circle; there is no arithmetic. A Set keeps the order of insertion, too.
class Object {
public:
    constexpr Object() noexcept = default;
    constexpr Object(NoneType) noexcept : Object() {}
    constexpr Object(std::same_as<bool> auto value) noexcept
        : word_(value), kind_(ObjectKind::boolean) {}
    template <detail::IntegerValue T>
    Object(T value);
    template <std::floating_point T>
    constexpr Object(T value) noexcept
        : word_(std::bit_cast<std::uint64_t>(static_cast<double>(value))),
          kind_(ObjectKind::real) {}
    Object(std::string_view text);
    Object(std::string const& text) : Object(std::string_view(text)) {}
    Object(char const* text) : Object(std::string_view(text)) {}
    Object(Bytes const& bytes);

    /// std::complex, std::optional, std::pair, std::tuple; ranges become a List, a Dict or a Set.
    template <detail::ConvertibleFrom T>
    Object(T const& value);

    Object(Object const& other) noexcept : word_(other.word_), kind_(other.kind_) {
        if (has_node()) node()->hold();
    }
    Object(Object&& other) noexcept
        : word_(other.word_), kind_(std::exchange(other.kind_, ObjectKind::none)) {}
    Object& operator=(Object const& other) noexcept {
        Object(other).swap(*this);
        return *this;
    }
    Object& operator=(Object&& other) noexcept {
        Object(std::move(other)).swap(*this);
        return *this;
    }
    ~Object() {
        if (has_node() && node()->drop()) detail::destroy(node());
    }

    void swap(Object& other) noexcept {
        std::swap(word_, other.word_);
        std::swap(kind_, other.kind_);
    }

    [[nodiscard]] ObjectKind kind() const noexcept { return kind_; }
    /// Python: `type(x).__name__`.
    [[nodiscard]] std::string_view type_name() const;
    /// Python: `x is None`.
    [[nodiscard]] bool is_none() const noexcept { return kind_ == ObjectKind::none; }
    /// Whether `to<T>()` would succeed as far as the type decides.
    /// Python: `isinstance(x, T)`.
    template <class T>
    [[nodiscard]] bool is() const noexcept;
    /// Python: `x is y`; equal ints and floats are one here.
    [[nodiscard]] bool is_same(Object const& other) const noexcept {
        return kind_ == other.kind_ && (kind_ == ObjectKind::none || word_ == other.word_);
    }

    /// The value as a C++ type: numbers, std::string, Bytes, List, Dict ..., std::vector,
    /// std::map, std::set, std::tuple, std::optional, ... of such.
    /// Errors: TypeError for a value of another type; OverflowError for an int that does not fit;
    ///     ValueError for a sequence of the wrong length.
    template <class T>
    [[nodiscard]] T to() const;
    template <class T>
        requires(std::is_arithmetic_v<T> && !std::same_as<T, bool>) || std::same_as<T, std::string>
    explicit operator T() const {
        return to<T>();
    }

    /// Python: `bool(x)`: false for None, zero and what is empty.
    explicit operator bool() const;

    /// Python: `len(x)`. Errors: TypeError.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const { return size() == 0; }

    /// The item at an index, negative from the end, or of a key; it can be assigned to.
    /// Errors: when it is read or written: IndexError, KeyError, TypeError.
    /// Python: `x[key]`.
    ObjectItem operator[](Object const& key) const;
    /// Errors: IndexError, KeyError, TypeError.
    /// Python: `x[key]`.
    [[nodiscard]] Object at(Object const& key) const;
    /// Errors: IndexError, TypeError.
    /// Python: `x[key] = value`.
    void set_item(Object const& key, Object value) const;
    /// Python: `key in x`. Errors: TypeError.
    [[nodiscard]] bool contains(Object const& key) const;

    /// The items of a sequence, the keys of a dict, the characters of a str, the bytes of bytes.
    /// Errors: TypeError; RuntimeError when a dict or set changes its size meanwhile.
    /// Python: `iter(x)`.
    [[nodiscard]] ObjectIterator begin() const;
    [[nodiscard]] ObjectIterator end() const;

    /// Equal values have equal hashes, also 1, 1.0 and True; other in each run of a program.
    /// Errors: TypeError for a list, dict, set or bytearray.
    /// Python: `hash(x)`.
    [[nodiscard]] std::uint64_t hash() const;

    /// Python: `str(x)`.
    [[nodiscard]] std::string str() const;
    /// Errors: RuntimeError when nested more than 1000 deep; ValueError for an int of more than
    ///     4300 digits. Beyond 1 MiB of text a container that was shown before is shown as
    ///     `[...]`, beyond 256 MiB every one.
    /// Python: `repr(x)`.
    [[nodiscard]] std::string repr() const;

private:
    friend struct detail::ObjectAccess;

    Object(ObjectKind kind, detail::Node* node) noexcept
        : word_(reinterpret_cast<std::uintptr_t>(node)), kind_(kind) {}

    bool has_node() const noexcept { return kind_ >= ObjectKind::big_integer; }
    detail::Node* node() const noexcept {
        return reinterpret_cast<detail::Node*>(static_cast<std::uintptr_t>(word_));
    }

    std::uint64_t word_ = 0;  // a bool, an int, the bits of a float, the address of a node
    ObjectKind kind_ = ObjectKind::none;
};

/// Errors: RuntimeError when nested more than 1000 deep.
/// Python: `x == y`.
bool operator==(Object const& a, Object const& b);

/// Sets are ordered by inclusion; a NaN and what is not included either way is unordered.
/// Errors: TypeError for types that Python does not order; RuntimeError as ==.
/// Python: `x < y`.
std::partial_ordering operator<=>(Object const& a, Object const& b);

}  // namespace multiprocessing
