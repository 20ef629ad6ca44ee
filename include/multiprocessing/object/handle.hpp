// SPDX-License-Identifier: MIT
// multiprocessing/object/handle.hpp — what List, Tuple, Dict, Set ... have in common.
// Layer 3 (object). Mirrors no Python file.
#pragma once

#include <multiprocessing/object/hash.hpp>
#include <multiprocessing/object/item.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace multiprocessing::detail {

/// An Object that is known to be of one type.
class ObjectHandle {
public:
    operator Object const&() const noexcept { return object_; }

    /// Python: `len(x)`.
    [[nodiscard]] std::size_t size() const { return object_.size(); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// Python: `x in self`. Errors: as Object::contains.
    [[nodiscard]] bool contains(Object const& x) const { return object_.contains(x); }
    /// Python: `self is x`.
    [[nodiscard]] bool is_same(Object const& x) const noexcept { return object_.is_same(x); }
    /// Python: `repr(self)`.
    [[nodiscard]] std::string repr() const { return object_.repr(); }

protected:
    explicit ObjectHandle(Object object) noexcept : object_(std::move(object)) {}

    /// Errors: TypeError.
    ObjectHandle(Object const& object, ObjectKind kind) : object_(object) {
        if (object.kind() != kind) throw_type(kind_name(kind), object);
    }

    Object object_;
};

}  // namespace multiprocessing::detail
