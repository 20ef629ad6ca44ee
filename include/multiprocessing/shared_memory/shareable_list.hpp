// SPDX-License-Identifier: MIT
// multiprocessing/shared_memory/shareable_list.hpp — a list of fixed length in memory under a name.
// Layer 4 (shared state). Mirrors ShareableList of Lib/multiprocessing/shared_memory.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object.hpp>
#include <multiprocessing/shared_memory/shared_memory.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace multiprocessing::shared_memory {

/// Python: the `name` of `ShareableList(sequence=None, *, name=None)`.
struct ShareableListOptions {
    std::optional<std::string> name = std::nullopt;
};

/// A list of ints of 64 bits, floats, bools, strs, bytes and None. Its length is fixed, and the
/// room of each item: at least 8 bytes, and for a str or bytes up to 8 more than it had at first.
///
///     ShareableList list(mp::List{1, 2.5, "text", mp::None});
///     list[2] = "other";
///     ShareableList same({.name = list.shm().name()});
///
/// Sharing: as SharedMemory. Items are not synchronised: guard them with a Lock.
/// Python: `multiprocessing.shared_memory.ShareableList`.
/// Differs: keeps trailing NULs and all of a text beyond ASCII; so its memory is laid out
///     otherwise, and Python cannot read it.
class ShareableList {
public:
    class Item;

    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Object;
        using difference_type = std::ptrdiff_t;
        using reference = Object;
        using pointer = void;

        Object operator*() const { return list_->at(index_); }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        Iterator operator++(int) {
            auto const old = *this;
            ++*this;
            return old;
        }
        bool operator==(Iterator const&) const = default;

    private:
        friend class ShareableList;
        Iterator(ShareableList const* list, std::ptrdiff_t index) : list_(list), index_(index) {}
        ShareableList const* list_;
        std::ptrdiff_t index_;
    };

    /// A new list of these items.
    /// Errors: KeyError for an item of another type; OverflowError for an int beyond 64 bits; as
    ///     SharedMemory.
    explicit ShareableList(List const& items, ShareableListOptions options = {})
        : memory_({.name = std::move(options.name), .create = true, .size = bytes_for(items)}) {
        auto place = table_bytes(items.size());
        header().count = items.size();
        for (std::size_t i = 0; i < items.size(); ++i) {
            auto const& item = items.begin()[i];
            slots()[i] = {place, static_cast<std::uint32_t>(room_for(item)), Type::none, 0};
            place += room_for(item);
            store(slots()[i], item);
        }
        header().magic = Header::ready;
    }

    /// The list of that name. Errors: as SharedMemory; RuntimeError when it is none.
    explicit ShareableList(ShareableListOptions options) : memory_({.name = options.name}) {
        auto const bytes = memory_.size();
        bool whole = bytes >= sizeof(Header) && header().magic == Header::ready &&
                     header().count <= bytes / sizeof(Slot) && table_bytes(header().count) <= bytes;
        for (std::size_t i = 0; whole && i < header().count; ++i)
            whole = slots()[i].place <= bytes && slots()[i].room <= bytes - slots()[i].place &&
                    slots()[i].room >= 8;
        if (!whole)
            throw RuntimeError(fmt::format("shared memory '{}' holds no ShareableList of this "
                                           "library, or one not ready yet",
                                           memory_.name()));
    }

    /// Python: `len(list)`.
    [[nodiscard]] std::size_t size() const { return header().count; }

    /// A negative index counts from the end. Errors: IndexError.
    Item operator[](std::ptrdiff_t index) const;

    /// Errors: IndexError; ValueError after close().
    /// Python: `list[index]`.
    [[nodiscard]] Object at(std::ptrdiff_t index) const {
        auto const slot = slots()[place(index, "index")];
        auto const* const data = memory_.buf().data() + slot.place;
        // Another process may write meanwhile: whatever is read stays within the slot.
        auto const length = std::min<std::uint64_t>(slot.length, slot.room);
        std::uint64_t bits = 0;
        std::memcpy(&bits, data, sizeof bits);
        switch (slot.type) {
        case Type::boolean: return bits != 0;
        case Type::integer: return static_cast<std::int64_t>(bits);
        case Type::real: return std::bit_cast<double>(bits);
        case Type::text: return std::string_view(reinterpret_cast<char const*>(data), length);
        case Type::bytes: return Bytes(std::span<std::byte const>(data, length));
        default: return None;
        }
    }

    /// The type may be another one than before.
    /// Errors: IndexError; ValueError when there is not room enough, and after close(); KeyError,
    ///     OverflowError as the constructor. The item is as it was.
    /// Python: `list[index] = value`.
    void set_item(std::ptrdiff_t index, Object const& value) const {
        store(slots()[place(index, "assignment index")], value);
    }

    /// Python: `list.count(value)`.
    [[nodiscard]] std::size_t count(Object const& value) const {
        return static_cast<std::size_t>(std::count(begin(), end(), value));
    }

    /// Errors: ValueError when there is none.
    /// Python: `list.index(value)`.
    [[nodiscard]] std::size_t index(Object const& value) const {
        auto const found = std::find(begin(), end(), value);
        if (found == end()) throw ValueError(value.repr() + " not in this container");
        return static_cast<std::size_t>(found.index_);
    }

    /// The memory it lies in: name, close(), unlink().
    /// Python: `ShareableList.shm`.
    [[nodiscard]] SharedMemory const& shm() const noexcept { return memory_; }
    [[nodiscard]] SharedMemory& shm() noexcept { return memory_; }

    /// What the items are, in the notation of Python's `struct`.
    /// Python: `ShareableList.format`.
    [[nodiscard]] std::string format() const {
        std::string text;
        for (std::size_t i = 0; i < size(); ++i) {
            auto const& slot = slots()[i];
            switch (slot.type) {
            case Type::boolean: text += "xxxxxxx?"; break;
            case Type::integer: text += 'q'; break;
            case Type::real: text += 'd'; break;
            case Type::text:
            case Type::bytes: text += fmt::format("{}s", slot.room); break;
            default: text += "xxxxxx?x";
            }
        }
        return text;
    }

    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }

    [[nodiscard]] std::string repr() const {
        return fmt::format("ShareableList({}, name='{}')", List(*this).repr(), memory_.name());
    }

private:
    enum class Type : std::uint32_t { none, boolean, integer, real, text, bytes };

    struct Header {
        static constexpr std::uint64_t ready = 0x6d70'736c'6973'7431;
        std::uint64_t magic;
        std::uint64_t count;
    };
    struct Slot {
        std::uint64_t place;  // from the beginning of the memory, in bytes
        std::uint32_t room;
        Type type;
        std::uint64_t length;
    };

    static std::size_t table_bytes(std::size_t count) {
        return sizeof(Header) + count * sizeof(Slot);
    }

    static std::optional<std::string_view> chars_of(Object const& item) {
        if (item.kind() != ObjectKind::text && item.kind() != ObjectKind::bytes)
            return std::nullopt;
        return multiprocessing::detail::chars_of(item);
    }

    static std::size_t room_for(Object const& item) {
        auto const chars = chars_of(item);
        if (!chars) return 8;
        if (chars->size() > std::numeric_limits<std::uint32_t>::max() - 8)
            throw ValueError("a str or bytes of a ShareableList has less than 4 GiB");
        return (chars->size() / 8 + 1) * 8;
    }

    static std::int64_t bytes_for(List const& items) {
        auto bytes = table_bytes(items.size());
        for (auto const& item : items) {
            // Whatever cannot be stored is refused before there is a name.
            if (type_of(item) == Type::integer) static_cast<void>(item.to<std::int64_t>());
            bytes += room_for(item);
        }
        return static_cast<std::int64_t>(bytes);
    }

    static Type type_of(Object const& item) {
        switch (item.kind()) {
        case ObjectKind::none: return Type::none;
        case ObjectKind::boolean: return Type::boolean;
        case ObjectKind::integer:
        case ObjectKind::big_integer: return Type::integer;
        case ObjectKind::real: return Type::real;
        case ObjectKind::text: return Type::text;
        case ObjectKind::bytes: return Type::bytes;
        default: throw KeyError(fmt::format("<class '{}'>", item.type_name()));
        }
    }

    void store(Slot& slot, Object const& item) const {
        auto const type = type_of(item);
        auto* const data = memory_.buf().data() + slot.place;
        if (auto const chars = chars_of(item)) {
            if (chars->size() > slot.room)
                throw ValueError("bytes/str item exceeds available storage");
            std::memcpy(data, chars->data(), chars->size());
            slot.length = chars->size();
        } else {
            std::uint64_t bits = 0;
            if (type == Type::real) bits = std::bit_cast<std::uint64_t>(item.to<double>());
            else if (type == Type::boolean) bits = item.to<bool>() ? 1 : 0;
            else if (type == Type::integer)
                bits = static_cast<std::uint64_t>(item.to<std::int64_t>());
            std::memcpy(data, &bits, sizeof bits);
            slot.length = sizeof bits;
        }
        slot.type = type;
    }

    std::size_t place(std::ptrdiff_t index, char const* what) const {
        auto const count = static_cast<std::ptrdiff_t>(size());
        if (index < -count || index >= count)
            throw IndexError(fmt::format("{} out of range", what));
        return static_cast<std::size_t>(index < 0 ? index + count : index);
    }

    std::byte* data() const {
        auto const bytes = memory_.buf();
        if (bytes.empty()) throw ValueError("the memory of this ShareableList is closed");
        return bytes.data();
    }
    Header& header() const { return *reinterpret_cast<Header*>(data()); }
    Slot* slots() const { return reinterpret_cast<Slot*>(data() + sizeof(Header)); }

    SharedMemory memory_;
};

/// What `list[i]` names: read by conversion, written by assignment. It keeps the mapping.
class ShareableList::Item {
public:
    operator Object() const { return list_.at(index_); }
    template <class T>
    [[nodiscard]] T to() const {
        return list_.at(index_).to<T>();
    }
    Item const& operator=(Object const& value) const {
        list_.set_item(index_, value);
        return *this;
    }
    Item const& operator=(Item const& other) const { return *this = Object(other); }
    friend bool operator==(Item const& a, Object const& b) { return Object(a) == b; }

private:
    friend class ShareableList;
    Item(ShareableList list, std::ptrdiff_t index) : list_(std::move(list)), index_(index) {}
    ShareableList list_;
    std::ptrdiff_t index_;
};

inline ShareableList::Item ShareableList::operator[](std::ptrdiff_t index) const {
    return {*this, index};
}

}  // namespace multiprocessing::shared_memory

/// By its name.
template <>
struct multiprocessing::pickle<multiprocessing::shared_memory::ShareableList> {
    using ShareableList = shared_memory::ShareableList;
    static void dump(Writer& writer, ShareableList const& list) {
        writer.write(list.shm().name());
    }
    static ShareableList load(Reader& reader) {
        return ShareableList({.name = reader.read<std::string>()});
    }
};

template <>
struct fmt::formatter<multiprocessing::shared_memory::ShareableList>
    : multiprocessing::detail::ReprFormatter {};
template <class Char>
struct fmt::is_range<multiprocessing::shared_memory::ShareableList, Char> : std::false_type {};
