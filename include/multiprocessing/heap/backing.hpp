// SPDX-License-Identifier: MIT
// multiprocessing/heap/backing.hpp — the memory behind the arena: taken when needed, kept warm,
// given back.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/arena.hpp>

#include <algorithm>

namespace multiprocessing::heap {

/// What is known here are hints; a process that dies in between makes them less good, not wrong.
class Backing {
public:
    static constexpr std::uint64_t page = 4096;

    explicit Backing(Arena& arena) : arena_(arena) {}

    /// The memory file must reach to the end of the units below `end`. False: a limit refuses.
    bool reach(std::uint64_t end) {
        if (!arena_.memory().grow(end * unit_bytes)) return false;
        // Only now: what one process may not have must not become a walk for all of them.
        auto& mark = arena_.header().unit_mark;
        for (auto seen = mark.load(relaxed);
             seen < end && !mark.compare_exchange_weak(seen, end);) {
        }
        return true;
    }
    [[noreturn]] static void refuse(std::uint64_t end) {
        throw MemoryError("the shared memory of this process tree cannot grow to " +
                          std::to_string(end) +
                          " MiB: a limit of the system or of this process refuses");
    }

    /// Of memory that becomes free: up to a limit it stays warm for the next one who needs some.
    void give_back_or_keep(std::uint64_t offset, std::uint64_t bytes) {
        auto& backed = arena_.header().free_backed;
        if (backed.load(relaxed) + bytes <= keep_backed) {
            backed.fetch_add(bytes, relaxed);
            return;
        }
        arena_.memory().give_back(offset, bytes);
        clean(offset / unit_bytes, offset % unit_bytes / page, bytes);
    }

    /// Of a block that was just taken: its pages may be written.
    void mark_dirty(std::uint64_t unit, std::uint64_t granule, std::uint32_t size_class) {
        auto const bytes = class_bytes(size_class);
        auto& pages = arena_.hints(unit).dirty_pages;
        auto const first = granule * granule_bytes / page;
        for (auto p = first; p < first + std::max(bytes / page, std::uint64_t{1}); ++p)
            if ((pages[p / 64].load(relaxed) >> p % 64 & 1) == 0)
                pages[p / 64].fetch_or(std::uint64_t{1} << p % 64, relaxed);
        if (bytes >= page) {
            auto& backed = arena_.header().free_backed;
            auto const seen = backed.load(relaxed);
            backed.store(seen > bytes ? seen - bytes : 0, relaxed);
        }
    }
    /// The same of a unit of a run.
    void mark_dirty(std::uint64_t unit) {
        for (auto& pages : arena_.hints(unit).dirty_pages) pages.store(~std::uint64_t{0}, relaxed);
    }
    bool is_dirty(std::uint64_t unit) const {
        auto const& pages = arena_.hints(unit).dirty_pages;
        return std::any_of(pages.begin(), pages.end(),
                           [](Word const& word) { return word.load(relaxed) != 0; });
    }
    /// Of pages that nobody can be using, from the `first` of a unit on.
    void clean(std::uint64_t unit, std::uint64_t first, std::uint64_t bytes) {
        constexpr auto in_unit = unit_bytes / page;
        for (auto p = first; p < first + bytes / page; ++p)
            arena_.hints(unit + p / in_unit)
                .dirty_pages[p % in_unit / 64]
                .fetch_and(~(std::uint64_t{1} << p % 64), relaxed);
    }

private:
    static constexpr std::uint64_t keep_backed = 64u << 20;
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    Arena& arena_;
};

}  // namespace multiprocessing::heap
