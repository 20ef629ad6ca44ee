// SPDX-License-Identifier: MIT
// multiprocessing/object/nodes.hpp — what lies behind an Object, type by type.
// Layer 3 (object). Mirrors the Objects folder of CPython.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/integer.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/table.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace multiprocessing::detail {

/// A str or bytes; the characters follow.
struct CharsNode : Node {
    static CharsNode* make(ObjectKind kind, std::string_view chars) {
        auto* const node = new (::operator new(sizeof(CharsNode) + chars.size()))
            CharsNode(kind, chars.size());
        if (!chars.empty())
            std::memcpy(reinterpret_cast<char*>(node + 1), chars.data(), chars.size());
        return node;
    }
    std::string_view view() const noexcept {
        return {reinterpret_cast<char const*>(this + 1), size};
    }

    std::size_t const size;
    std::atomic<std::uint64_t> hash{0};  // 0: not asked for yet

private:
    CharsNode(ObjectKind k, std::size_t n) noexcept : Node(k), size(n) {}
};

/// The items follow; they may be filled in until the tuple is shown to others.
struct TupleNode : Node {
    static TupleNode* make(std::size_t size) {
        auto* const node =
            new (::operator new(sizeof(TupleNode) + size * sizeof(Object))) TupleNode(size);
        std::uninitialized_default_construct_n(node->first(), size);
        return node;
    }
    Object* first() noexcept { return reinterpret_cast<Object*>(this + 1); }
    std::span<Object> items() noexcept { return {first(), size}; }

    std::size_t const size;
    std::atomic<std::uint64_t> hash{0};  // 0: not asked for yet

private:
    explicit TupleNode(std::size_t n) noexcept : Node(ObjectKind::tuple), size(n) {}
};

/// A node that holds one value of a C++ type.
template <class T>
struct ValueNode : Node {
    explicit ValueNode(ObjectKind k, T v = T()) : Node(k), value(std::move(v)) {}
    T value;
};

struct ComplexParts {
    double real = 0;
    double imag = 0;
};

struct GlobalParts {
    Object module;
    Object name;
};

struct InstanceParts {
    Object global;
    Object arguments = {};        // a tuple
    Object state = {};
    bool has_state = false;
    std::vector<Object> items = {};  // appended
    std::vector<Object> pairs = {};  // keys and values, in turn
};

using IntegerNode = ValueNode<BigInteger>;
using ComplexNode = ValueNode<ComplexParts>;
using ByteArrayNode = ValueNode<std::string>;
using ListNode = ValueNode<std::vector<Object>>;
using TableNode = ValueNode<Table>;  // dict, set and frozenset
using GlobalNode = ValueNode<GlobalParts>;
using InstanceNode = ValueNode<InstanceParts>;

struct ObjectAccess {
    static Node* node(Object const& object) noexcept { return object.node(); }
    static std::int64_t integer(Object const& object) noexcept {
        return static_cast<std::int64_t>(object.word_);
    }
    static double real(Object const& object) noexcept {
        return std::bit_cast<double>(object.word_);
    }
    static bool has_node(Object const& object) noexcept { return object.has_node(); }
    static bool shared(Object const& object) noexcept {
        return object.has_node() && object.node()->shared();
    }

    /// The Object owns what the caller owned.
    static Object adopt(Node* node) noexcept { return {node->kind, node}; }
    /// The caller owns what the Object owned, which is None now.
    static Node* release(Object& object) noexcept {
        if (!object.has_node()) return nullptr;
        object.kind_ = ObjectKind::none;
        return object.node();
    }
    template <class N, class... A>
    static Object make(ObjectKind kind, A&&... arguments) {
        return adopt(new N(kind, std::forward<A>(arguments)...));
    }
    static Object integer(BigInteger value) {
        if (auto const exact = value.as_int64()) return Object(*exact);
        return make<IntegerNode>(ObjectKind::big_integer, std::move(value));
    }
    static Object bytes(std::string_view bytes) {
        return adopt(CharsNode::make(ObjectKind::bytes, bytes));
    }
    static Object complex(double real, double imag) {
        return make<ComplexNode>(ObjectKind::complex, ComplexParts{real, imag});
    }
};

/// What lies behind an Object of that kind.
template <class N>
N& node_as(Object const& object) noexcept {
    return *static_cast<N*>(ObjectAccess::node(object));
}

inline std::string_view chars_of(Object const& object) noexcept {
    return object.kind() == ObjectKind::byte_array ? std::string_view(
                                                         node_as<ByteArrayNode>(object).value)
                                                   : node_as<CharsNode>(object).view();
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_type(std::string_view wanted,
                                                             Object const& object) {
    throw TypeError(joined({"expected ", wanted, ", not '", object.type_name(), "'"}));
}

/// Calls `visit` with every Object that a node holds.
template <class Visit>
void visit_children(Node& node, Visit visit) {
    switch (node.kind) {
    case ObjectKind::tuple:
        for (auto& item : static_cast<TupleNode&>(node).items()) visit(item);
        break;
    case ObjectKind::list:
        for (auto& item : static_cast<ListNode&>(node).value) visit(item);
        break;
    case ObjectKind::dict:
    case ObjectKind::set:
    case ObjectKind::frozen_set:
        for (auto& entry : static_cast<TableNode&>(node).value.entries()) {
            visit(entry.key);
            visit(entry.value);
        }
        break;
    case ObjectKind::global: {
        auto& parts = static_cast<GlobalNode&>(node).value;
        visit(parts.module);
        visit(parts.name);
        break;
    }
    case ObjectKind::instance: {
        auto& parts = static_cast<InstanceNode&>(node).value;
        visit(parts.global);
        visit(parts.arguments);
        visit(parts.state);
        for (auto& item : parts.items) visit(item);
        for (auto& item : parts.pairs) visit(item);
        break;
    }
    default: break;
    }
}

inline void free_node(Node* node) noexcept {
    switch (node->kind) {
    case ObjectKind::text:
    case ObjectKind::bytes:
    case ObjectKind::tuple: ::operator delete(node); break;  // the rest is trivial or emptied
    case ObjectKind::big_integer: delete static_cast<IntegerNode*>(node); break;
    case ObjectKind::complex: delete static_cast<ComplexNode*>(node); break;
    case ObjectKind::byte_array: delete static_cast<ByteArrayNode*>(node); break;
    case ObjectKind::list: delete static_cast<ListNode*>(node); break;
    case ObjectKind::global: delete static_cast<GlobalNode*>(node); break;
    case ObjectKind::instance: delete static_cast<InstanceNode*>(node); break;
    default: delete static_cast<TableNode*>(node); break;
    }
}

inline void destroy(Node* node) noexcept {
    Node* pending = nullptr;
    for (;;) {
        visit_children(*node, [&](Object& child) {
            if (auto* const last = ObjectAccess::release(child); last && last->drop()) {
                last->owners.store(reinterpret_cast<std::uintptr_t>(pending),
                                   std::memory_order_relaxed);
                pending = last;
            }
        });
        free_node(node);
        if (pending == nullptr) return;
        node = pending;
        pending =
            reinterpret_cast<Node*>(node->owners.load(std::memory_order_relaxed));
    }
}

}  // namespace multiprocessing::detail

namespace multiprocessing {

template <detail::IntegerValue T>
Object::Object(T value) : kind_(ObjectKind::integer) {
    if constexpr (std::unsigned_integral<T> && sizeof(T) >= sizeof(std::int64_t)) {
        if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
            *this = detail::ObjectAccess::integer(detail::BigInteger(value, false));
            return;
        }
    }
    word_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

inline Object::Object(std::string_view text)
    : Object(ObjectKind::text, detail::CharsNode::make(ObjectKind::text, text)) {}

inline Object::Object(Bytes const& bytes)
    : Object(ObjectKind::bytes, detail::CharsNode::make(ObjectKind::bytes, bytes.view())) {}

}  // namespace multiprocessing
