// SPDX-License-Identifier: MIT
// multiprocessing/heap/arena.hpp — the one growable shared mapping of a process tree, and where its
// tables lie.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/layout.hpp>
#include <multiprocessing/platform/memory.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/version.hpp>

#include <charconv>
#include <optional>
#include <span>
#include <string>

namespace multiprocessing::heap {

inline constexpr std::uint64_t layout_hash =
    detail::fnv1a("multiprocessing heap 2") ^ sizeof(Record) << 32 ^ sizeof(Slot) << 16 ^
    sizeof(ArenaHeader);
inline constexpr std::uint64_t library_version = MULTIPROCESSING_VERSION_MAJOR * 1'000'000u +
                                                 MULTIPROCESSING_VERSION_MINOR * 1'000u +
                                                 MULTIPROCESSING_VERSION_PATCH;

/// Memory of all processes of one tree: a header, tables, then units of 1 MiB. Everything is
/// found by its offset, since each process may see it at another address.
class Arena {
public:
    Arena() = default;

    /// A new tree's arena. The address space is reserved at once, memory is used as it is needed.
    /// Errors: MemoryError when not even 256 MiB of address space can be had.
    static Arena create() {
        std::uint64_t reserve = wished_bytes();
        for (;; reserve /= 2) {
            try {
                Arena arena{platform::SharedMemory::create(reserve, tables_bytes(reserve))};
                arena.lay_out();
                return arena;
            } catch (MemoryError const&) {
                if (reserve <= smallest_bytes) throw;
            }
        }
    }

    /// The arena that this process was given when it was started.
    static Arena attach(platform::Handle handle, std::uint64_t reserved) {
        Arena arena{platform::SharedMemory::attach(std::move(handle), reserved)};
        auto const& header = arena.header();
        if (header.magic.load(std::memory_order_acquire) != ArenaHeader::magic_value)
            throw RuntimeError("the inherited arena is not an arena");
        if (header.layout_hash != layout_hash || header.version != library_version)
            throw RuntimeError("the process tree uses another version of multiprocessing: " +
                               std::to_string(header.version) + ", this program uses " +
                               std::to_string(library_version));
        return arena;
    }

    std::byte* base() const { return base_; }
    platform::SharedMemory& memory() { return memory_; }
    ArenaHeader& header() const { return *reinterpret_cast<ArenaHeader*>(base_); }
    Slot& slot(std::uint32_t index) const { return table<Slot>(header().slots_offset)[index]; }
    Record& record(std::uint32_t index) const {
        return table<Record>(header().records_offset)[index];
    }
    Word& unit(std::uint64_t index) const { return table<Word>(header().units_offset)[index]; }
    UnitHints& hints(std::uint64_t unit) const {
        return table<UnitHints>(header().hints_offset)[unit];
    }
    ClassHints& size_class(std::uint32_t index) const {
        return table<ClassHints>(header().classes_offset)[index];
    }
    /// The state word of the block that begins at this granule.
    Word& block(std::uint64_t granule) const {
        return table<Word>(header().blocks_offset)[granule];
    }

    template <class T>
    T* at(std::uint64_t offset) const {
        return reinterpret_cast<T*>(base_ + offset);
    }
    std::uint64_t offset_of(void const* address) const {
        return static_cast<std::uint64_t>(static_cast<std::byte const*>(address) - base_);
    }

private:
    static constexpr std::uint64_t smallest_bytes = 256u << 20;
    static constexpr std::uint64_t page = 4096;

    explicit Arena(platform::SharedMemory memory)
        : memory_(std::move(memory)), base_(memory_.data()) {}

    static constexpr std::uint64_t up(std::uint64_t bytes, std::uint64_t to) {
        return (bytes + to - 1) / to * to;
    }
    static constexpr std::uint64_t fixed_bytes() {
        return page + max_slots * sizeof(Slot) + process_bytes + max_records * sizeof(Record) +
               all_classes * sizeof(ClassHints) + 8 * page;
    }
    static constexpr std::uint64_t tables_bytes(std::uint64_t reserve) {
        auto const units = reserve / unit_bytes;
        return up(fixed_bytes() + units * (sizeof(Word) + sizeof(UnitHints)) +
                      units * words_per_unit * sizeof(Word),
                  unit_bytes);
    }

    static std::uint64_t wished_bytes() {
        std::uint64_t wished = platform::SharedMemory::usual_reserve;
        if (auto const text = platform::environment("MULTIPROCESSING_ARENA")) {
            std::uint64_t asked = 0;
            auto const* const end = text->data() + text->size();
            auto const [rest, error] = std::from_chars(text->data(), end, asked);
            if (error != std::errc{} || rest != end || asked == 0)
                throw ValueError("MULTIPROCESSING_ARENA must be a number of bytes, not '" + *text +
                                 "'");
            wished = asked;
        }
        if (wished < smallest_bytes) wished = smallest_bytes;
        if (wished > std::uint64_t{64} << 30) wished = std::uint64_t{64} << 30;
        return wished / unit_bytes * unit_bytes;
    }

    void lay_out() {
        auto& h = header();
        auto const units = memory_.reserved() / unit_bytes;
        std::uint64_t next = page;
        auto const place = [&next](std::uint64_t bytes) {
            auto const offset = next;
            next = up(next + bytes, page);
            return offset;
        };
        h.layout_hash = layout_hash;
        h.version = library_version;
        platform::random_bytes(std::as_writable_bytes(std::span{&h.id, 1}));
        h.reserved = memory_.reserved();
        h.slots_offset = place(max_slots * sizeof(Slot));
        h.process_offset = place(process_bytes);
        h.records_offset = place(max_records * sizeof(Record));
        h.classes_offset = place(all_classes * sizeof(ClassHints));
        h.units_offset = place(units * sizeof(Word));
        h.hints_offset = place(units * sizeof(UnitHints));
        h.blocks_offset = place(units * words_per_unit * sizeof(Word));
        h.first_unit = up(next, unit_bytes) / unit_bytes;
        h.end_unit = units;
        h.slot_mark.store(1, std::memory_order_relaxed);  // slot 0 is nobody
        h.record_mark.store(max_slots, std::memory_order_relaxed);
        h.segment_lap.store(1, std::memory_order_relaxed);
        h.magic.store(ArenaHeader::magic_value, std::memory_order_release);
    }

    template <class T>
    T* table(std::uint64_t offset) const {
        return reinterpret_cast<T*>(base_ + offset);
    }

    platform::SharedMemory memory_;
    std::byte* base_ = nullptr;
};

}  // namespace multiprocessing::heap
