// SPDX-License-Identifier: MIT
// multiprocessing/pickle/identity.hpp — keeps shared_ptrs shared within one message.
// Layer 3 (pickling). Mirrors the memo of Lib/pickle.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace multiprocessing::detail {

/// One address per type: two pointers of different types to one address are different objects.
template <class T>
inline constexpr char type_tag = 0;

/// An object that a message holds by shared_ptr; its place in the table is its name.
struct SharedEntry {
    std::shared_ptr<void const> object;  // empty while it is being read
    void const* tag = nullptr;
    bool open =
        true;  // its own contents are still being written or read: meeting it again is a cycle
};

/// What a Writer has written by shared_ptr. It keeps the objects alive, else a temporary that a
/// user's dump makes could be freed and the next one at its address be taken for it.
class SharedWritten {
public:
    [[nodiscard]] std::optional<std::size_t> find(void const* object, void const* tag) const {
        if (slots_.empty()) {
            return std::nullopt;
        }
        for (std::size_t at = first_slot(object); slots_[at] != 0; at = (at + 1) % slots_.size()) {
            SharedEntry const& entry = entries_[slots_[at] - 1];
            if (entry.object.get() == object && entry.tag == tag) {
                return slots_[at] - 1;
            }
        }
        return std::nullopt;
    }

    std::size_t add(std::shared_ptr<void const> object, void const* tag) {
        if ((entries_.size() + 1) * 2 > slots_.size()) {
            slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
            for (std::size_t i = 0; i < entries_.size(); ++i) {
                place(i);
            }
        }
        entries_.push_back({std::move(object), tag, true});
        place(entries_.size() - 1);
        return entries_.size() - 1;
    }

    [[nodiscard]] bool is_open(std::size_t index) const { return entries_[index].open; }
    void close(std::size_t index) { entries_[index].open = false; }

private:
    [[nodiscard]] std::size_t first_slot(void const* object) const {
        auto const bits = reinterpret_cast<std::uintptr_t>(object);
        return static_cast<std::size_t>((bits * 0x9e3779b97f4a7c15u) >> 32) % slots_.size();
    }

    void place(std::size_t index) {
        std::size_t at = first_slot(entries_[index].object.get());
        while (slots_[at] != 0) {
            at = (at + 1) % slots_.size();
        }
        slots_[at] = index + 1;
    }

    std::vector<SharedEntry> entries_;
    std::vector<std::size_t> slots_;  // open addressing; an index into entries_ plus one, or 0
};

}  // namespace multiprocessing::detail
