// SPDX-License-Identifier: MIT
// multiprocessing/object/table.hpp — a hash table of Objects in the order of their insertion.
// Layer 3 (object). Mirrors Objects/dictobject.c.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/object.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace multiprocessing::detail {

/// Never 0. Errors: TypeError, RuntimeError.
std::uint64_t hash_object(Object const& object, int depth);
/// Errors: RuntimeError.
bool equal_objects(Object const& a, Object const& b, int depth);

struct TableEntry {
    bool removed() const noexcept { return hash == 0; }

    std::uint64_t hash;
    Object key;
    Object value;
};

/// Keys, and values for a dict. Up to eight entries are searched one by one; more have an index,
/// probed from place to place.
class Table {
public:
    std::size_t size() const noexcept { return live_; }

    /// In order; among them those that were removed.
    std::span<TableEntry const> entries() const noexcept { return entries_; }
    std::span<TableEntry> entries() noexcept { return entries_; }

    TableEntry* find(Object const& key, int depth = 0) {
        return find(key, hash_object(key, depth), depth);
    }
    TableEntry* find(Object const& key, std::uint64_t hash, int depth);

    /// The key's entry, new with the value None, and whether it is new.
    /// The key that is there stays.
    std::pair<TableEntry*, bool> insert(Object key, int depth = 0) {
        auto const hash = hash_object(key, depth);
        if (auto* const entry = find(key, hash, depth)) return {entry, false};
        return {append(std::move(key), hash), true};
    }

    /// Room for the first entries; later it grows by doubling.
    void reserve(std::size_t count) {
        if (entries_.empty()) entries_.reserve(count);
    }

    /// An entry of this table is no longer in it.
    void remove(TableEntry& entry) noexcept;

    /// The last entry; none in an empty table.
    TableEntry* last() noexcept { return entries_.empty() ? nullptr : &entries_.back(); }

    void clear() noexcept {
        // What the entries own is destroyed when the table is empty already.
        auto const old = std::exchange(entries_, {});
        index_.clear();
        live_ = used_ = 0;
    }

private:
    static constexpr std::size_t few = 8;

    TableEntry* append(Object&& key, std::uint64_t hash);
    void rebuild();
    void place(std::uint64_t hash, std::size_t at) noexcept;

    std::vector<TableEntry> entries_;
    std::vector<std::uint32_t> index_;  // a place in entries_, plus one; 0: free
    std::size_t live_ = 0;
    std::size_t used_ = 0;  // places of index_ that are not free, stale ones too
};

inline TableEntry* Table::find(Object const& key, std::uint64_t hash, int depth) {
    auto const matches = [&](TableEntry const& entry) {
        return entry.hash == hash &&
               (entry.key.is_same(key) || equal_objects(entry.key, key, depth));
    };
    if (index_.empty()) {
        for (auto& entry : entries_)
            if (matches(entry)) return &entry;
        return nullptr;
    }
    auto const mask = index_.size() - 1;
    for (auto at = static_cast<std::size_t>(hash) & mask; index_[at] != 0; at = (at + 1) & mask) {
        // A removed entry, or one that took the place of a removed one, does not match.
        if (index_[at] > entries_.size()) continue;
        if (auto& entry = entries_[index_[at] - 1]; matches(entry)) return &entry;
    }
    return nullptr;
}

inline TableEntry* Table::append(Object&& key, std::uint64_t hash) {
    if (index_.empty() ? entries_.size() >= few : (used_ + 1) * 3 > index_.size() * 2) rebuild();
    entries_.push_back({hash, std::move(key), {}});
    if (!index_.empty()) place(hash, entries_.size() - 1);
    ++live_;
    return &entries_.back();
}

inline void Table::remove(TableEntry& entry) noexcept {
    entry.hash = 0;
    entry.key = {};
    entry.value = {};
    --live_;
    while (!entries_.empty() && entries_.back().removed()) entries_.pop_back();
}

inline void Table::rebuild() {
    if (live_ >= std::numeric_limits<std::uint32_t>::max() / 4)
        throw MemoryError("a dict or set has too many entries");
    std::erase_if(entries_, [](TableEntry const& entry) { return entry.removed(); });
    index_.clear();
    used_ = 0;
    if (live_ < few) return;
    index_.assign(std::bit_ceil((live_ + 1) * 2), 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) place(entries_[i].hash, i);
}

inline void Table::place(std::uint64_t hash, std::size_t at) noexcept {
    auto const mask = index_.size() - 1;
    auto slot = static_cast<std::size_t>(hash) & mask;
    while (index_[slot] != 0) slot = (slot + 1) & mask;
    index_[slot] = static_cast<std::uint32_t>(at + 1);
    ++used_;
}

}  // namespace multiprocessing::detail
