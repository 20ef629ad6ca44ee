// SPDX-License-Identifier: MIT
// multiprocessing/reduction/member_pointer.hpp — takes pointers to members apart for their journey.
// Layer 3 (pickling). Mirrors how Lib/multiprocessing/reduction.py reduces a bound method.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/platform/image.hpp>
#include <multiprocessing/reduction/place.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace multiprocessing::reduction {

namespace detail {

/// What a pointer to a member function is under the Itanium C++ ABI (g++ and clang everywhere,
/// MinGW too): a function, or a place in the virtual table, and what is added to `this`.
struct MemberFunction {
    std::uintptr_t target;
    std::ptrdiff_t adjustment;
};

struct MemberParts {
    bool is_virtual;
    std::uintptr_t target;  // the function's address, or bytes into the virtual table
    std::ptrdiff_t adjustment;
};

// ARM uses the lowest bit of code addresses itself and marks virtual functions in the adjustment.
#if defined(__aarch64__) || defined(__arm__)
inline constexpr bool virtual_is_in_adjustment = true;
#else
inline constexpr bool virtual_is_in_adjustment = false;
#endif

inline MemberParts take_apart(MemberFunction member) {
    if constexpr (virtual_is_in_adjustment) {
        return {(member.adjustment & 1) != 0, member.target, member.adjustment >> 1};
    } else {
        bool const is_virtual = (member.target & 1) != 0;
        return {is_virtual, is_virtual ? member.target - 1 : member.target, member.adjustment};
    }
}

inline MemberFunction put_together(MemberParts parts) {
    auto const bit = parts.is_virtual ? 1 : 0;
    if constexpr (virtual_is_in_adjustment) return {parts.target, parts.adjustment * 2 + bit};
    else return {parts.target + static_cast<std::uintptr_t>(bit), parts.adjustment};
}

template <class T>
struct ClassOf;
template <class Member, class Class>
struct ClassOf<Member Class::*> {
    using type = Class;
    using member = Member;
};
template <class T>
using class_of_t = typename ClassOf<T>::type;

/// No virtual table is so long. Its length cannot be known, so a forged place below it is believed,
/// as any other argument of a task is.
inline constexpr std::uintptr_t longest_virtual_table = 4096 * sizeof(void*);

/// A pointer to a member of a derived class that was cast to its base points out of the base.
template <class T>
bool is_inside(std::ptrdiff_t offset, std::size_t bytes) {
    constexpr std::size_t size = sizeof(class_of_t<T>);
    return offset >= 0 && bytes <= size && static_cast<std::size_t>(offset) <= size - bytes;
}

enum class MemberTag : std::uint8_t { null = 1, function, virtual_function, data };

}  // namespace detail

/// Writes a pointer to a member. Its type is known to the reader; `home` too.
/// Errors: PicklingError for one that points out of its class, by a cast from a derived one.
template <class T>
void dump_member(Writer& out, T const& member, platform::Module const& home) {
    using detail::MemberTag;
    auto const tag = [&](MemberTag t) { detail::put_byte(out, static_cast<std::uint8_t>(t)); };
    auto const require_inside = [](std::ptrdiff_t offset, std::size_t bytes) {
        if (!detail::is_inside<T>(offset, bytes))
            throw PicklingError("a pointer to a member of a derived class cannot cross as a "
                                "pointer to a member of its base");
    };
    if (member == nullptr) return tag(MemberTag::null);
    if constexpr (std::is_member_function_pointer_v<T>) {
        auto const parts = detail::take_apart(std::bit_cast<detail::MemberFunction>(member));
        require_inside(parts.adjustment, 0);
        tag(parts.is_virtual ? MemberTag::virtual_function : MemberTag::function);
        if (parts.is_virtual) out.write_size(parts.target);
        else dump_code(out, parts.target, &home);
        out.write_size(static_cast<std::uint64_t>(parts.adjustment));
    } else {
        auto const offset = std::bit_cast<std::ptrdiff_t>(member);
        require_inside(offset, sizeof(typename detail::ClassOf<T>::member));
        tag(MemberTag::data);
        out.write_size(static_cast<std::uint64_t>(offset));
    }
}

/// Reads what dump_member wrote.
/// Errors: UnpicklingError for what cannot be a pointer to a member of this type.
template <class T>
T load_member(Reader& in, platform::Module const& home) {
    using detail::MemberTag;
    auto const offset_of = [&](std::size_t bytes) {
        auto const offset = static_cast<std::ptrdiff_t>(in.read_size());
        if (!detail::is_inside<T>(offset, bytes))
            in.fail("a pointer to a member points out of its class");
        return offset;
    };
    auto const tag = static_cast<MemberTag>(detail::get_byte(in));
    if (tag == MemberTag::null) return nullptr;
    if constexpr (std::is_member_function_pointer_v<T>) {
        detail::MemberParts parts{tag == MemberTag::virtual_function, 0, 0};
        if (tag == MemberTag::function) {
            parts.target = load_code(in, &home);
            if (!detail::virtual_is_in_adjustment && (parts.target & 1) != 0)
                in.fail("a member function at an odd address");
        } else if (tag == MemberTag::virtual_function &&
                   std::is_polymorphic_v<detail::class_of_t<T>>) {
            parts.target = in.read_size();
            if (parts.target % sizeof(void*) != 0 || parts.target >= detail::longest_virtual_table)
                in.fail("a virtual function outside of any virtual table");
        } else {
            in.fail("not a pointer to a member function");
        }
        parts.adjustment = offset_of(0);
        return std::bit_cast<T>(detail::put_together(parts));
    } else {
        if (tag != MemberTag::data) in.fail("not a pointer to a data member");
        return std::bit_cast<T>(offset_of(sizeof(typename detail::ClassOf<T>::member)));
    }
}

}  // namespace multiprocessing::reduction
