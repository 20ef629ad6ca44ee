// SPDX-License-Identifier: MIT
// multiprocessing/sharedctypes/body.hpp — how values lie in shared memory, behind a lock or not.
// Layer 4 (shared state). Takes the place of Lib/multiprocessing/heap.py's BufferWrapper.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/synchronize/lock.hpp>
#include <multiprocessing/synchronize/rlock.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace multiprocessing {

/// A lock that a Value or an Array can be guarded with.
template <class L>
concept SharedLock = std::is_same_v<L, Lock> || std::is_same_v<L, RLock>;

namespace detail {

/// Fails with a sentence for what cannot lie in shared memory.
template <class T>
consteval bool diagnose_shareable() {
    static_assert(
        std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_reference_v<T>,
        "a shared value must be trivially copyable and no pointer: other processes see its "
        "bytes only; use Manager or Queue for other types");
    static_assert(alignof(T) <= heap::granule_bytes,
                  "a shared value must not ask for more alignment than 128 bytes");
    return true;
}

template <SharedLock L>
using BodyOf = std::conditional_t<std::is_same_v<L, RLock>, RLockBody, LockBody>;

// What lies in front of the values. A lock comes first, so that it can travel alone; a Value of a
// word lies in one cache line with it.
template <class T, class L>
struct ValueBody {
    static constexpr std::uint64_t tag_flags = BodyOf<L>::tag_part;
    BodyOf<L> lock;
};
template <class T>
struct RawValueBody {};
template <class T, class L>
struct ArrayBody {
    static constexpr std::uint64_t tag_flags = BodyOf<L>::tag_part;
    BodyOf<L> lock;
    std::uint64_t count;
};
template <class T>
struct RawArrayBody {
    std::uint64_t count;
};

/// An object with `count` values of type T behind its body, all bytes zero at first.
/// Link 0, if there is one, is the lock that was chosen instead of its own.
template <class Body, class T>
class Storage {
    static constexpr bool counted = requires(Body body) { body.count; };
    static constexpr std::uint64_t body_bytes = std::is_empty_v<Body> ? 0 : sizeof(Body);

public:
    static_assert(diagnose_shareable<T>());

    explicit Storage(std::uint64_t count, heap::Shared const* lock = nullptr)
        : body_(make(count, lock)), data_(locate()) {}

    /// Errors: UnpicklingError when the object is something else.
    static Storage from(heap::Shared shared, char const* name) {
        return Storage{heap::Tagged<Body>::from(std::move(shared), name)};
    }

    T* data() const { return data_; }
    std::uint64_t count() const requires(counted) { return body_->count; }
    heap::Shared const& shared() const { return body_.shared(); }
    bool operator==(Storage const& other) const { return body_ == other.body_; }

    /// A handle of the lock that guards the values.
    template <SharedLock L>
    L lock() const {
        auto& header = shared().header();
        if (header.links == 0) return L::from(shared());
        return L::from(heap::Shared::adopt(header.link(0).load(std::memory_order_relaxed)));
    }

private:
    explicit Storage(heap::Tagged<Body> body) : body_(std::move(body)), data_(locate()) {}

    // Counted from the header, which stands on a multiple of 128.
    static constexpr std::uint64_t offset(std::uint32_t links) {
        auto const end = heap::Header::body_offset(links) + 8 + body_bytes;
        return (end + alignof(T) - 1) / alignof(T) * alignof(T);
    }

    static heap::Tagged<Body> make(std::uint64_t count, heap::Shared const* lock) {
        if (count > (std::uint64_t{1} << 40) / sizeof(T))
            throw MemoryError(fmt::format("no shared memory for an array of {} elements", count));
        std::uint32_t const links = lock != nullptr ? 1 : 0;
        auto const further =
            offset(links) - heap::Header::body_offset(links) - 8 - body_bytes + count * sizeof(T);
        return heap::Tagged<Body>::make(links, further,
                                        [&](heap::Header& header, [[maybe_unused]] Body& body) {
                                            if (lock != nullptr) heap::link(header, 0, *lock);
                                            if constexpr (counted) body.count = count;
                                        });
    }

    T* locate() const {
        auto& header = shared().header();
        return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(&header) + offset(header.links));
    }

    heap::Tagged<Body> body_;
    T* data_;
};

}  // namespace detail
}  // namespace multiprocessing
