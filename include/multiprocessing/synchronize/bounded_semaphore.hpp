// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/bounded_semaphore.hpp — a semaphore that never has more permits than
// at first.
// Layer 2 (synchronization). Mirrors BoundedSemaphore of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/synchronize/semaphore.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

namespace multiprocessing {

/// A Semaphore whose `release` throws ValueError when all its permits are free.
///
/// Sharing: as Semaphore; as one it is the same object, bound included.
/// Python: `multiprocessing.BoundedSemaphore(value=1)`.
/// Differs: the bound is exact, also while others acquire and on every system.
class BoundedSemaphore : public Semaphore {
public:
    /// Errors: as Semaphore.
    explicit BoundedSemaphore(std::int64_t value = 1, SemaphoreOptions options = {})
        : Semaphore(value, value, options) {}

    std::string repr() const {
        return fmt::format("<BoundedSemaphore(value={}, maxvalue={})>", get_value(), bound());
    }

    static BoundedSemaphore from(heap::Shared shared) {
        return BoundedSemaphore{std::move(shared)};
    }

private:
    explicit BoundedSemaphore(heap::Shared shared)
        : Semaphore(std::move(shared), "BoundedSemaphore") {}
};

template <>
struct pickle<BoundedSemaphore> {
    static void dump(auto& writer, BoundedSemaphore const& semaphore) {
        writer.handle(semaphore.shared());
    }
    static BoundedSemaphore load(auto& reader) { return BoundedSemaphore::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::BoundedSemaphore>
    : multiprocessing::detail::ReprFormatter {};
