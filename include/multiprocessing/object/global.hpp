// SPDX-License-Identifier: MIT
// multiprocessing/object/global.hpp — Python's classes and functions by name, and what they make.
// Layer 3 (object). Mirrors what object.__reduce_ex__ of Python returns.
#pragma once

#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/tuple.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

/// A class, function or constant of Python by its name; it is never looked up here.
/// Sharing: as Object.
/// Python: what `pickle` writes for a class: `builtins.int`.
class Global : public detail::ObjectHandle {
public:
    Global(std::string_view module, std::string_view name)
        : ObjectHandle(detail::ObjectAccess::make<detail::GlobalNode>(
              ObjectKind::global, detail::GlobalParts{module, name})) {}
    /// The global that an Object is. Errors: TypeError.
    static Global of(Object const& object) { return Global(object, ObjectKind::global); }

    /// Valid as long as this.
    [[nodiscard]] std::string_view module() const { return detail::chars_of(parts().module); }
    [[nodiscard]] std::string_view name() const { return detail::chars_of(parts().name); }

private:
    Global(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}
    detail::GlobalParts const& parts() const {
        return detail::node_as<detail::GlobalNode>(object_).value;
    }
};

/// A Python object that this library has no type for, as what it is made from: a class, its
/// arguments, a state. Exceptions, dates and tokens of managers arrive as these.
/// Sharing: as Object; copies name the same.
/// Python: `class(*arguments)`, then `__setstate__(state)`.
class Instance : public detail::ObjectHandle {
public:
    explicit Instance(Global const& global, Tuple const& arguments = {})
        : ObjectHandle(detail::ObjectAccess::make<detail::InstanceNode>(
              ObjectKind::instance, detail::InstanceParts{global, arguments})) {}
    /// The instance that an Object is. Errors: TypeError.
    static Instance of(Object const& object) { return Instance(object, ObjectKind::instance); }

    [[nodiscard]] Global global() const { return Global::of(parts().global); }
    [[nodiscard]] Tuple arguments() const { return Tuple::of(parts().arguments); }
    /// What goes to `__setstate__`, or is the `__dict__`.
    [[nodiscard]] std::optional<Object> state() const {
        return parts().has_state ? std::optional(parts().state) : std::nullopt;
    }
    void state(Object state) const {
        parts().state = std::move(state);
        parts().has_state = true;
    }
    /// What is appended to it, for a class derived from list.
    [[nodiscard]] std::vector<Object>& items() const { return parts().items; }
    /// Keys and values in turn, for a class derived from dict.
    [[nodiscard]] std::vector<Object>& pairs() const { return parts().pairs; }

    /// Python: `str(x)`, for an exception its text.
    [[nodiscard]] std::string str() const { return object_.str(); }

private:
    Instance(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}
    detail::InstanceParts& parts() const {
        return detail::node_as<detail::InstanceNode>(object_).value;
    }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Global> : multiprocessing::detail::ReprFormatter {};
template <>
struct fmt::formatter<multiprocessing::Instance> : multiprocessing::detail::ReprFormatter {};
