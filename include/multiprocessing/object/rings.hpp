// SPDX-License-Identifier: MIT
// multiprocessing/object/rings.hpp — values that hold themselves, which counting does not free.
// Layer 3 (object). Mirrors the gc module of Python.
#pragma once

#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>

#include <unordered_set>
#include <vector>

namespace multiprocessing {

namespace detail {

inline bool is_container(ObjectKind kind) noexcept { return kind >= ObjectKind::tuple; }

using NodeSet = std::unordered_set<Node const*>;

/// All containers that an Object is or holds.
inline NodeSet reachable_containers(Object const& object) {
    NodeSet found;
    std::vector<Node*> open;
    auto const meet = [&](Object const& child) {
        if (!is_container(child.kind())) return;
        auto* const node = ObjectAccess::node(child);
        if (found.insert(node).second) open.push_back(node);
    };
    meet(object);
    while (!open.empty()) {
        auto* const node = open.back();
        open.pop_back();
        visit_children(*node, meet);
    }
    return found;
}

/// Takes everything out of a container, of whatever type; the caller's Object keeps it alive.
inline void empty_container(Object const& container) noexcept {
    visit_children(*ObjectAccess::node(container), [](Object& child) { child = {}; });
}

}  // namespace detail

/// Empties all lists, dicts and sets that a value holds, so that those which hold themselves are
/// freed. The value is of no more use, nor is what shares them.
/// Python: what `gc.collect()` does for a value that nobody names any more.
inline void break_rings(Object const& object) {
    std::vector<Object> alive{object};
    for (auto const* const node : detail::reachable_containers(object)) {
        if (node->kind == ObjectKind::tuple || node->kind == ObjectKind::global) continue;
        auto* const own = const_cast<detail::Node*>(node);
        own->hold();
        alive.push_back(detail::ObjectAccess::adopt(own));
    }
    for (auto const& container : alive) {
        switch (container.kind()) {
        case ObjectKind::list: detail::node_as<detail::ListNode>(container).value.clear(); break;
        case ObjectKind::dict:
        case ObjectKind::set: detail::node_as<detail::TableNode>(container).value.clear(); break;
        case ObjectKind::instance: {
            auto& parts = detail::node_as<detail::InstanceNode>(container).value;
            parts.state = {};
            parts.items.clear();
            parts.pairs.clear();
            break;
        }
        default: break;
        }
    }
}

}  // namespace multiprocessing
