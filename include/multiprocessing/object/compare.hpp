// SPDX-License-Identifier: MIT
// multiprocessing/object/compare.hpp — equality and order of Objects.
// Layer 3 (object). Mirrors Objects/object.c: PyObject_RichCompare.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/hash.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/table.hpp>

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace multiprocessing::detail {

inline bool is_number(ObjectKind kind) noexcept {
    return kind >= ObjectKind::boolean && kind <= ObjectKind::big_integer;
}
inline bool is_bytes(ObjectKind kind) noexcept {
    return kind == ObjectKind::bytes || kind == ObjectKind::byte_array;
}
inline bool is_set(ObjectKind kind) noexcept {
    return kind == ObjectKind::set || kind == ObjectKind::frozen_set;
}

inline std::partial_ordering compare_with_real(std::int64_t a, double b) {
    if (std::isnan(b)) return std::partial_ordering::unordered;
    if (b >= 0x1p63) return std::partial_ordering::less;
    if (b < -0x1p63) return std::partial_ordering::greater;
    auto const whole = static_cast<std::int64_t>(b);
    if (a != whole) return a <=> whole;
    return 0.0 <=> b - static_cast<double>(whole);
}

inline std::partial_ordering compare_with_real(BigInteger const& a, double b) {
    if (std::isnan(b)) return std::partial_ordering::unordered;
    if (std::fabs(b) < 0x1p63 || std::isinf(b)) {
        if (std::isinf(b)) return 0.0 <=> b;
        return a.negative() ? std::partial_ordering::less : std::partial_ordering::greater;
    }
    return a <=> BigInteger::truncated(b);
}

/// Both are numbers, not complex.
inline std::partial_ordering compare_numbers(Object const& a, Object const& b) {
    using enum ObjectKind;
    if (b.kind() == real) {
        auto const y = ObjectAccess::real(b);
        if (a.kind() == real) return ObjectAccess::real(a) <=> y;
        if (a.kind() == big_integer) return compare_with_real(node_as<IntegerNode>(a).value, y);
        return compare_with_real(ObjectAccess::integer(a), y);
    }
    if (a.kind() == real) return 0 <=> compare_numbers(b, a);
    if (a.kind() == big_integer) {
        auto const& x = node_as<IntegerNode>(a).value;
        if (b.kind() == big_integer) return x <=> node_as<IntegerNode>(b).value;
        return x.negative() ? std::partial_ordering::less : std::partial_ordering::greater;
    }
    if (b.kind() == big_integer) return 0 <=> compare_numbers(b, a);
    return ObjectAccess::integer(a) <=> ObjectAccess::integer(b);
}

/// Compares two values; what was found equal once is not compared again, so that values which hold
/// one another many times take no time beyond their size.
class Equality {
public:
    bool equal(Object const& a, Object const& b, int depth);

private:
    struct Pair {
        Node const* a = nullptr;
        Node const* b = nullptr;
    };
    static constexpr std::size_t remembered = 1024;
    static constexpr unsigned many_steps = 4096;  // before it is worth remembering anything

    bool equal_nodes(Object const& a, Object const& b, int depth);
    bool equal_items(std::span<Object const> a, std::span<Object const> b, int depth);
    bool equal_tables(Table& a, Table& b, bool values, int depth);

    Pair& place_of(Node const* a, Node const* b) {
        if (!known_) known_ = std::make_unique<Pair[]>(remembered);
        auto const mixed = (reinterpret_cast<std::uintptr_t>(a) >> 4) * 31 +
                           (reinterpret_cast<std::uintptr_t>(b) >> 4);
        return known_[mixed % remembered];
    }

    std::unique_ptr<Pair[]> known_;
    unsigned steps_ = 0;
};

inline bool Equality::equal(Object const& a, Object const& b, int depth) {
    auto const x = a.kind();
    auto const y = b.kind();
    if (is_number(x) && is_number(y)) return compare_numbers(a, b) == 0;
    if (x == ObjectKind::complex || y == ObjectKind::complex) {
        auto const& number = x == ObjectKind::complex ? a : b;
        auto const& other = x == ObjectKind::complex ? b : a;
        auto const& parts = node_as<ComplexNode>(number).value;
        if (other.kind() == ObjectKind::complex) {
            auto const& others = node_as<ComplexNode>(other).value;
            return parts.real == others.real && parts.imag == others.imag;
        }
        return is_number(other.kind()) && parts.imag == 0 &&
               compare_numbers(Object(parts.real), other) == 0;
    }
    if (x != y && !(is_bytes(x) && is_bytes(y)) && !(is_set(x) && is_set(y))) return false;
    if (a.is_same(b)) return true;
    if (x == ObjectKind::text || is_bytes(x)) return chars_of(a) == chars_of(b);
    if (depth > object_depth_limit) throw_too_deep("in comparison");
    bool const may_return = ++steps_ > many_steps && ObjectAccess::shared(a) &&
                            ObjectAccess::shared(b);
    if (!may_return) return equal_nodes(a, b, depth + 1);
    auto const* const first = ObjectAccess::node(a);
    auto const* const second = ObjectAccess::node(b);
    if (auto const& known = place_of(first, second); known.a == first && known.b == second)
        return true;
    if (!equal_nodes(a, b, depth + 1)) return false;
    place_of(first, second) = {first, second};
    return true;
}

inline bool Equality::equal_items(std::span<Object const> a, std::span<Object const> b,
                                  int depth) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
                      [&](Object const& x, Object const& y) { return equal(x, y, depth); });
}

inline bool Equality::equal_tables(Table& a, Table& b, bool values, int depth) {
    if (a.size() != b.size()) return false;
    for (auto const& entry : a.entries()) {
        if (entry.removed()) continue;
        auto const* const other = b.find(entry.key, entry.hash, depth);
        if (other == nullptr || (values && !equal(entry.value, other->value, depth))) return false;
    }
    return true;
}

inline bool Equality::equal_nodes(Object const& a, Object const& b, int depth) {
    switch (a.kind()) {
    case ObjectKind::tuple:
        return equal_items(node_as<TupleNode>(a).items(), node_as<TupleNode>(b).items(), depth);
    case ObjectKind::list:
        return equal_items(node_as<ListNode>(a).value, node_as<ListNode>(b).value, depth);
    case ObjectKind::dict:
    case ObjectKind::set:
    case ObjectKind::frozen_set:
        return equal_tables(node_as<TableNode>(a).value, node_as<TableNode>(b).value,
                            a.kind() == ObjectKind::dict, depth);
    case ObjectKind::global: {
        auto const& x = node_as<GlobalNode>(a).value;
        auto const& y = node_as<GlobalNode>(b).value;
        return equal(x.module, y.module, depth) && equal(x.name, y.name, depth);
    }
    case ObjectKind::instance: {
        auto const& x = node_as<InstanceNode>(a).value;
        auto const& y = node_as<InstanceNode>(b).value;
        return equal(x.global, y.global, depth) && equal(x.arguments, y.arguments, depth) &&
               x.has_state == y.has_state && equal(x.state, y.state, depth) &&
               equal_items(x.items, y.items, depth) && equal_items(x.pairs, y.pairs, depth);
    }
    default: return false;
    }
}

inline bool equal_objects(Object const& a, Object const& b, int depth) {
    return Equality().equal(a, b, depth);
}

std::partial_ordering compare_objects(Object const& a, Object const& b, int depth);

inline std::partial_ordering compare_items(std::span<Object const> a, std::span<Object const> b,
                                           int depth) {
    auto const n = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n; ++i)
        if (!a[i].is_same(b[i]) && !equal_objects(a[i], b[i], depth))
            return compare_objects(a[i], b[i], depth + 1);
    return a.size() <=> b.size();
}

inline std::partial_ordering compare_sets(Table& a, Table& b, int depth) {
    auto const within = [depth](Table const& inner, Table& outer) {
        for (auto const& entry : inner.entries())
            if (!entry.removed() && !outer.find(entry.key, entry.hash, depth)) return false;
        return true;
    };
    bool const smaller = a.size() <= b.size() && within(a, b);
    if (smaller && a.size() == b.size()) return std::partial_ordering::equivalent;
    if (smaller) return std::partial_ordering::less;
    if (b.size() < a.size() && within(b, a)) return std::partial_ordering::greater;
    return std::partial_ordering::unordered;
}

inline std::partial_ordering compare_objects(Object const& a, Object const& b, int depth) {
    auto const x = a.kind();
    auto const y = b.kind();
    if (depth > object_depth_limit) throw_too_deep("in comparison");
    if (is_number(x) && is_number(y)) return compare_numbers(a, b);
    if ((x == ObjectKind::text && y == x) || (is_bytes(x) && is_bytes(y)))
        return chars_of(a).compare(chars_of(b)) <=> 0;
    if (is_set(x) && is_set(y))
        return compare_sets(node_as<TableNode>(a).value, node_as<TableNode>(b).value, depth);
    if (x == y && x == ObjectKind::tuple)
        return compare_items(node_as<TupleNode>(a).items(), node_as<TupleNode>(b).items(), depth);
    if (x == y && x == ObjectKind::list)
        return compare_items(node_as<ListNode>(a).value, node_as<ListNode>(b).value, depth);
    throw TypeError(joined({"'<' not supported between instances of '", a.type_name(), "' and '",
                            b.type_name(), "'"}));
}

}  // namespace multiprocessing::detail

namespace multiprocessing {

inline bool operator==(Object const& a, Object const& b) {
    return detail::Equality().equal(a, b, 0);
}

inline std::partial_ordering operator<=>(Object const& a, Object const& b) {
    return detail::compare_objects(a, b, 0);
}

}  // namespace multiprocessing
