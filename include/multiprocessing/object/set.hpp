// SPDX-License-Identifier: MIT
// multiprocessing/object/set.hpp — sets of Objects, in the order of insertion.
// Layer 3 (object). Mirrors set and frozenset of Python.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/table.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <compare>
#include <concepts>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

namespace detail {

/// What a Set and a FrozenSet have in common.
class SetHandle : public ObjectHandle {
public:
    using key_type = Object;

    ObjectIterator begin() const { return object_.begin(); }
    ObjectIterator end() const { return object_.end(); }

    [[nodiscard]] bool issubset(SetHandle const& other) const { return object_ <= other.object_; }
    [[nodiscard]] bool issuperset(SetHandle const& other) const { return object_ >= other.object_; }
    [[nodiscard]] bool isdisjoint(SetHandle const& other) const {
        for (auto const& x : *this)
            if (other.contains(x)) return false;
        return true;
    }

protected:
    explicit SetHandle(ObjectKind kind) : ObjectHandle(ObjectAccess::make<TableNode>(kind)) {}
    SetHandle(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}

    template <RangeValue R>
    void insert_all(R&& range) const {
        using X = ElementOf<std::remove_reference_t<R>>;
        for (auto&& x : range) table().insert(Object(static_cast<X const&>(x)));
    }
    Table& table() const noexcept { return node_as<TableNode>(object_).value; }
};

}  // namespace detail

/// Copies name the same set. Its items are hashable.
/// Sharing: as Object.
/// Python: `set`.
class Set : public detail::SetHandle {
public:
    Set() : SetHandle(ObjectKind::set) {}
    /// Errors: TypeError.
    Set(std::initializer_list<Object> items) : Set() { insert_all(items); }
    /// Python: `set(iterable)`.
    template <detail::RangeValue R>
        requires(!std::same_as<std::remove_cvref_t<R>, Set>)
    explicit Set(R&& items) : Set() {
        insert_all(items);
    }
    /// The set that an Object is. Errors: TypeError.
    static Set of(Object const& object) { return Set(object, ObjectKind::set); }

    /// Errors: TypeError.
    void add(Object x) const { table().insert(std::move(x)); }
    template <detail::RangeValue R>
    void update(R&& items) const {
        if constexpr (std::same_as<std::remove_cvref_t<R>, Set>) {
            if (is_same(items)) return;
        }
        insert_all(items);
    }
    void update(std::initializer_list<Object> items) const { insert_all(items); }
    void discard(Object const& x) const {
        if (auto* const entry = table().find(x)) table().remove(*entry);
    }
    /// Errors: KeyError.
    void remove(Object const& x) const {
        auto* const entry = table().find(x);
        if (entry == nullptr) detail::throw_key(x);
        table().remove(*entry);
    }
    /// Any item, here the last. Errors: KeyError.
    Object pop() const {
        if (empty()) throw KeyError("'pop from an empty set'");
        auto& entry = *table().last();
        Object x = std::move(entry.key);
        table().remove(entry);
        return x;
    }
    void clear() const { table().clear(); }
    /// A new set of the same items.
    [[nodiscard]] Set copy() const { return Set(object_); }

private:
    Set(Object const& object, ObjectKind kind) : SetHandle(object, kind) {}
};

/// A set that never changes and may be a key.
/// Sharing: as Object.
/// Python: `frozenset`.
class FrozenSet : public detail::SetHandle {
public:
    FrozenSet() : SetHandle(ObjectKind::frozen_set) {}
    /// Errors: TypeError.
    FrozenSet(std::initializer_list<Object> items) : FrozenSet() { insert_all(items); }
    /// Python: `frozenset(iterable)`.
    template <detail::RangeValue R>
        requires(!std::same_as<std::remove_cvref_t<R>, FrozenSet>)
    explicit FrozenSet(R&& items) : FrozenSet() {
        insert_all(items);
    }
    /// The frozenset that an Object is. Errors: TypeError.
    static FrozenSet of(Object const& object) { return FrozenSet(object, ObjectKind::frozen_set); }

private:
    FrozenSet(Object const& object, ObjectKind kind) : SetHandle(object, kind) {}
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Set> : multiprocessing::detail::ReprFormatter {};
template <>
struct fmt::formatter<multiprocessing::FrozenSet> : multiprocessing::detail::ReprFormatter {};
