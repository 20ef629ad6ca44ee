// SPDX-License-Identifier: MIT
// multiprocessing/object/byte_array.hpp — bytes that can be changed.
// Layer 3 (object). Mirrors bytearray of Python.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/bytes.hpp>
#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// Copies name the same bytes.
/// Sharing: as Object.
/// Python: `bytearray`.
class ByteArray : public detail::ObjectHandle {
public:
    ByteArray() : ByteArray(Bytes()) {}
    explicit ByteArray(Bytes const& bytes)
        : ObjectHandle(detail::ObjectAccess::make<detail::ByteArrayNode>(
              ObjectKind::byte_array, std::string(bytes.view()))) {}
    /// The bytearray that an Object is. Errors: TypeError.
    static ByteArray of(Object const& object) { return ByteArray(object, ObjectKind::byte_array); }

    /// A negative index counts from the end. Errors: IndexError.
    /// Python: `self[i]`.
    std::uint8_t& operator[](std::ptrdiff_t index) const {
        auto const at = static_cast<std::size_t>(index) + (index < 0 ? size() : 0);
        if (at >= size()) throw IndexError("bytearray index out of range");
        return begin()[at];
    }
    std::uint8_t* begin() const noexcept {
        return reinterpret_cast<std::uint8_t*>(value().data());
    }
    std::uint8_t* end() const noexcept { return begin() + value().size(); }

    void append(std::uint8_t byte) const { value() += static_cast<char>(byte); }
    void extend(Bytes const& more) const { value() += more.view(); }
    void clear() const { value().clear(); }

    /// The bytes as they are now.
    [[nodiscard]] Bytes bytes() const { return Bytes(value()); }
    /// Valid until the next change.
    [[nodiscard]] std::string_view view() const noexcept { return value(); }

private:
    ByteArray(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}
    std::string& value() const noexcept {
        return detail::node_as<detail::ByteArrayNode>(object_).value;
    }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::ByteArray> : multiprocessing::detail::ReprFormatter {};
