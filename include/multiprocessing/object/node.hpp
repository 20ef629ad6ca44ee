// SPDX-License-Identifier: MIT
// multiprocessing/object/node.hpp — the counted head of the values that do not fit into an Object.
// Layer 3 (object). Mirrors PyObject, without its cycle collector.
#pragma once

#include <multiprocessing/object/kind.hpp>

#include <atomic>
#include <cstdint>

namespace multiprocessing::detail {

/// Owned by the Objects that name it; the last one destroys it.
struct Node {
    explicit Node(ObjectKind k) noexcept : kind(k) {}
    Node(Node const&) = delete;
    Node& operator=(Node const&) = delete;

    void hold() noexcept { owners.fetch_add(1, std::memory_order_relaxed); }

    /// Whether that was the last owner, who now destroys it.
    [[nodiscard]] bool drop() noexcept {
        // A sole owner needs no locked instruction: nobody is left who could copy its Object.
        // Acquire and release: what others did to the value happens before its destruction.
        return owners.load(std::memory_order_acquire) == 1 ||
               owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    /// More than one Object names it, so it may be met again.
    [[nodiscard]] bool shared() const noexcept {
        return owners.load(std::memory_order_relaxed) != 1;
    }

    std::atomic<std::uintptr_t> owners{1};  // while it is destroyed: the next one to destroy
    ObjectKind kind;

protected:
    ~Node() = default;
};

/// Destroys a value and all that only it owned, in a loop: nesting may be deep.
void destroy(Node* node) noexcept;

}  // namespace multiprocessing::detail
