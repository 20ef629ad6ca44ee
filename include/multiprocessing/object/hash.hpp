// SPDX-License-Identifier: MIT
// multiprocessing/object/hash.hpp — a hash that peers cannot foresee, equal for equal values.
// Layer 3 (object). Mirrors Python/pyhash.c.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/platform/system.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

namespace multiprocessing::detail {

/// Values may be nested so deep where a function calls itself for what is inside.
inline constexpr int object_depth_limit = 1000;

struct HashKey {
    std::uint64_t first;
    std::uint64_t second;
};

/// Drawn once per process; a forked child has its parent's.
inline HashKey const& hash_key() {
    static HashKey const key = [] {
        HashKey drawn{};
        platform::random_bytes(std::as_writable_bytes(std::span(&drawn, 1)));
        return drawn;
    }();
    return key;
}

/// SipHash-1-3, as Python's for str and bytes.
inline std::uint64_t sip_hash(std::string_view bytes, HashKey const& key) {
    std::uint64_t a = key.first ^ 0x736f6d6570736575u;
    std::uint64_t b = key.second ^ 0x646f72616e646f6du;
    std::uint64_t c = key.first ^ 0x6c7967656e657261u;
    std::uint64_t d = key.second ^ 0x7465646279746573u;
    auto const round = [&]() __attribute__((always_inline)) {
        a += b;
        c += d;
        b = std::rotl(b, 13) ^ a;
        d = std::rotl(d, 16) ^ c;
        a = std::rotl(a, 32);
        c += b;
        a += d;
        b = std::rotl(b, 17) ^ c;
        d = std::rotl(d, 21) ^ a;
        c = std::rotl(c, 32);
    };
    auto const absorb = [&](std::uint64_t word) {
        d ^= word;
        round();
        a ^= word;
    };
    auto const size = bytes.size();
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        absorb(word);
    }
    std::uint64_t last = std::uint64_t{size} << 56;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        last |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    absorb(last);
    c ^= 0xff;
    round();
    round();
    round();
    return a ^ b ^ c ^ d;
}

/// One word, mixed with the key.
inline std::uint64_t hash_word(std::uint64_t word) {
    auto const& key = hash_key();
    word = (word ^ key.first) * 0x9e3779b97f4a7c15u;
    word = (word ^ (word >> 32) ^ key.second) * 0xd6e8feb86659fd93u;
    return word ^ (word >> 32);
}

inline std::uint64_t hash_big_integer(BigInteger const& value) {
    auto const bytes = value.bytes();
    return sip_hash({reinterpret_cast<char const*>(bytes.data()), bytes.size()}, hash_key());
}

// A whole number hashes as the int that it equals.
inline std::uint64_t hash_real(double value) {
    if (std::trunc(value) != value || std::isinf(value))
        return hash_word(std::bit_cast<std::uint64_t>(value));
    if (std::fabs(value) < 0x1p63)
        return hash_word(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
    auto const whole = BigInteger::truncated(value);
    if (auto const exact = whole.as_int64()) return hash_word(static_cast<std::uint64_t>(*exact));
    return hash_big_integer(whole);
}

inline std::uint64_t hash_tuple(TupleNode& tuple, int depth) {
    auto hash = tuple.hash.load(std::memory_order_relaxed);
    if (hash != 0) return hash;
    hash = hash_word(tuple.size);
    for (auto const& item : tuple.items()) hash = hash_word(hash ^ hash_object(item, depth + 1));
    tuple.hash.store(hash, std::memory_order_relaxed);
    return hash;
}

inline std::uint64_t hash_plain(Object const& object, int depth) {
    switch (object.kind()) {
    case ObjectKind::none: return hash_word(0x6e6f6e65);
    case ObjectKind::boolean:
    case ObjectKind::integer:
        return hash_word(static_cast<std::uint64_t>(ObjectAccess::integer(object)));
    case ObjectKind::real: return hash_real(ObjectAccess::real(object));
    case ObjectKind::big_integer: return hash_big_integer(node_as<IntegerNode>(object).value);
    case ObjectKind::complex: {
        auto const& parts = node_as<ComplexNode>(object).value;
        auto const real = hash_real(parts.real);
        return parts.imag == 0 ? real : hash_word(real + hash_real(parts.imag) * 3);
    }
    case ObjectKind::text:
    case ObjectKind::bytes: {
        auto& node = node_as<CharsNode>(object);
        auto hash = node.hash.load(std::memory_order_relaxed);
        if (hash == 0) {
            hash = sip_hash(node.view(), hash_key());
            node.hash.store(hash, std::memory_order_relaxed);
        }
        return hash;
    }
    case ObjectKind::tuple: return hash_tuple(node_as<TupleNode>(object), depth);
    case ObjectKind::frozen_set: {
        std::uint64_t hash = 0;
        for (auto const& entry : node_as<TableNode>(object).value.entries())
            if (!entry.removed()) hash += hash_word(entry.hash);
        return hash_word(hash);
    }
    case ObjectKind::global: {
        auto const& parts = node_as<GlobalNode>(object).value;
        return hash_word(hash_object(parts.module, depth + 1) ^
                         hash_object(parts.name, depth + 1) * 3);
    }
    case ObjectKind::instance: {
        auto const& parts = node_as<InstanceNode>(object).value;
        return hash_word(hash_object(parts.global, depth + 1) ^
                         hash_object(parts.arguments, depth + 1));
    }
    default: throw TypeError(joined({"unhashable type: '", object.type_name(), "'"}));
    }
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_too_deep(std::string_view where) {
    throw RuntimeError(joined({"maximum recursion depth exceeded ", where}));
}

inline std::uint64_t hash_object(Object const& object, int depth) {
    if (depth > object_depth_limit) throw_too_deep("in a hash");
    auto const hash = hash_plain(object, depth);
    return hash == 0 ? 1 : hash;
}

}  // namespace multiprocessing::detail

namespace multiprocessing {

inline std::uint64_t Object::hash() const { return detail::hash_object(*this, 0); }

}  // namespace multiprocessing

template <>
struct std::hash<multiprocessing::Object> {
    std::size_t operator()(multiprocessing::Object const& object) const {
        return static_cast<std::size_t>(object.hash());
    }
};
