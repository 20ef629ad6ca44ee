// SPDX-License-Identifier: MIT
// multiprocessing/shared/root.hpp — the named objects of a Segment.
// Layer 4 (shared state). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/shared/containers.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <fmt/format.h>

namespace multiprocessing::shared {

/// What a Segment shows to the function that reads or changes it; of no use after that.
/// The objects are containers of shared/containers.hpp and types without pointers.
class Root {
public:
    explicit Root(detail::Image& image) : image_(image) {}

    /// The object of that name; made, empty or zero, where there is none.
    /// Errors: TypeError when it is of another type; MemoryError.
    template <class T>
    T& make(std::string const& name) {
        if (auto* const found = find<T>(name)) return *found;
        *image_.construct<std::uint64_t>(type_key(name).c_str())() = type_hash<T>();
        return *construct<T>(name);
    }

    /// The object of that name, or null. Errors: TypeError.
    template <class T>
    T* find(std::string const& name) {
        auto const* const type = image_.find<std::uint64_t>(type_key(name).c_str()).first;
        if (type == nullptr) return nullptr;
        if (*type != type_hash<T>())
            throw TypeError(fmt::format("'{}' in the segment is no {}", name,
                                        multiprocessing::detail::type_name<T>()));
        return image_.find<T>(name.c_str()).first;
    }
    template <class T>
    T const* find(std::string const& name) const {
        return const_cast<Root*>(this)->find<T>(name);
    }

    /// Errors: KeyError when there is none; TypeError.
    template <class T>
    T const& at(std::string const& name) const {
        if (auto const* const found = find<T>(name)) return *found;
        throw KeyError(fmt::format("'{}'", name));
    }

    /// Destroys the object of that name. False when there is none. Errors: TypeError.
    template <class T>
    bool erase(std::string const& name) {
        if (find<T>(name) == nullptr) return false;
        image_.destroy<T>(name.c_str());
        image_.destroy<std::uint64_t>(type_key(name).c_str());
        return true;
    }

    /// For an object made outside the segment's containers.
    template <class T = char>
    [[nodiscard]] allocator<T> get_allocator() const {
        return allocator<T>(image_.get_segment_manager());
    }

    [[nodiscard]] std::size_t free_bytes() const { return image_.get_free_memory(); }

private:
    template <class T>
    T* construct(std::string const& name) {
        if constexpr (requires { typename T::allocator_type; }) {
            return image_.construct<T>(name.c_str())(
                typename T::allocator_type(image_.get_segment_manager()));
        } else {
            static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                          "a segment holds containers of multiprocessing::shared and trivially "
                          "copyable types without pointers");
            return image_.construct<T>(name.c_str())();
        }
    }

    static std::string type_key(std::string const& name) { return name + "\x01type"; }
    template <class T>
    static constexpr std::uint64_t type_hash() {
        return multiprocessing::detail::fnv1a(
            sizeof(T), multiprocessing::detail::fnv1a(multiprocessing::detail::type_name<T>()));
    }

    detail::Image& image_;
};

}  // namespace multiprocessing::shared
