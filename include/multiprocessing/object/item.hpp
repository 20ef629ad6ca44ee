// SPDX-License-Identifier: MIT
// multiprocessing/object/item.hpp — indexing, lengths, membership and iteration of Objects.
// Layer 3 (object). Mirrors the __getitem__, __len__ and __iter__ of Python's built-in types.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/printable.hpp>
#include <multiprocessing/object/text.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// What `object[key]` names: it is read by conversion and written by assignment. It keeps the
/// container alive, but not the item in it.
/// Python: `x[key]`.
class ObjectItem {
public:
    ObjectItem(Object container, Object key) noexcept
        : container_(std::move(container)), key_(std::move(key)) {}
    ObjectItem(ObjectItem const&) = default;
    ObjectItem(ObjectItem&&) = default;
    ~ObjectItem() = default;

    Object get() const { return container_.at(key_); }
    operator Object() const { return get(); }
    template <class T>
    [[nodiscard]] T to() const {
        return get().to<T>();
    }
    template <class T>
        requires requires(Object const& object) { static_cast<T>(object); } &&
                 (!std::same_as<T, Object>)
    explicit operator T() const {
        return static_cast<T>(get());
    }

    ObjectItem& operator=(Object value) {
        container_.set_item(key_, std::move(value));
        return *this;
    }
    // As in Python, `x[a] = y[b]` copies the item.
    ObjectItem& operator=(ObjectItem const& other) { return *this = other.get(); }
    ObjectItem& operator=(ObjectItem&& other) { return *this = other.get(); }

    ObjectItem operator[](Object const& key) const { return get()[key]; }
    [[nodiscard]] std::size_t size() const { return get().size(); }
    [[nodiscard]] bool contains(Object const& key) const { return get().contains(key); }
    [[nodiscard]] bool is_none() const { return get().is_none(); }
    [[nodiscard]] std::string str() const { return get().str(); }
    [[nodiscard]] std::string repr() const { return get().repr(); }

private:
    Object container_;
    Object key_;
};

/// Goes through the items of an Object, which it keeps alive.
class ObjectIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Object;
    using difference_type = std::ptrdiff_t;
    using reference = Object;
    using pointer = void;

    ObjectIterator() = default;
    /// Errors: TypeError.
    explicit ObjectIterator(Object object, bool at_end = false);

    Object operator*() const;
    ObjectIterator& operator++();
    ObjectIterator operator++(int) {
        auto const old = *this;
        ++*this;
        return old;
    }
    bool operator==(ObjectIterator const& other) const {
        return at_end() ? other.at_end() : !other.at_end() && at_ == other.at_;
    }

private:
    // The length may change while an iterator is under way.
    std::size_t length() const;
    bool at_end() const { return at_ >= length(); }
    void skip_removed();

    Object object_;
    std::size_t at_ = 0;    // of a str: in bytes
    std::size_t size_ = 0;  // of a dict or set: how many there were
};

namespace detail {

inline bool is_table(ObjectKind kind) noexcept { return kind == ObjectKind::dict || is_set(kind); }

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_type_error(std::string_view before,
                                                                   std::string_view type,
                                                                   std::string_view after) {
    throw TypeError(joined({before, type, after}));
}

/// The place of an index that may count from the end.
/// Errors: IndexError; TypeError if it is no int.
inline std::size_t place_of_index(Object const& key, std::size_t size, std::string_view what) {
    if (key.kind() != ObjectKind::integer && key.kind() != ObjectKind::boolean)
        throw TypeError(
            joined({what, " indices must be integers or slices, not ", key.type_name()}));
    auto const index = ObjectAccess::integer(key);
    auto const place = static_cast<std::uint64_t>(index) + (index < 0 ? size : 0);
    if (place >= size) throw IndexError(joined({what, " index out of range"}));
    return static_cast<std::size_t>(place);
}

inline std::string_view character_at(std::string_view text, std::size_t at) {
    auto const next = first_code_point(text.substr(at));
    return text.substr(at, next ? next->size : 1);
}

inline std::string_view nth_character(std::string_view text, std::size_t index) {
    std::size_t at = 0;
    while (index-- != 0) at += character_at(text, at).size();
    return character_at(text, at);
}

inline Object byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_key(Object const& key) {
    throw KeyError(key.repr());
}

}  // namespace detail

inline std::size_t Object::size() const {
    switch (kind_) {
    case ObjectKind::text: return detail::count_code_points(detail::chars_of(*this));
    case ObjectKind::bytes:
    case ObjectKind::byte_array: return detail::chars_of(*this).size();
    case ObjectKind::tuple: return detail::node_as<detail::TupleNode>(*this).size;
    case ObjectKind::list: return detail::node_as<detail::ListNode>(*this).value.size();
    case ObjectKind::dict:
    case ObjectKind::set:
    case ObjectKind::frozen_set: return detail::node_as<detail::TableNode>(*this).value.size();
    default: detail::throw_type_error("object of type '", type_name(), "' has no len()");
    }
}

inline Object::operator bool() const {
    switch (kind_) {
    case ObjectKind::none: return false;
    case ObjectKind::boolean:
    case ObjectKind::integer: return word_ != 0;
    case ObjectKind::real: return detail::ObjectAccess::real(*this) != 0;
    case ObjectKind::complex: {
        auto const& parts = detail::node_as<detail::ComplexNode>(*this).value;
        return parts.real != 0 || parts.imag != 0;
    }
    case ObjectKind::big_integer:
    case ObjectKind::global:
    case ObjectKind::instance: return true;
    case ObjectKind::text: return !detail::chars_of(*this).empty();
    default: return size() != 0;
    }
}

inline Object Object::at(Object const& key) const {
    switch (kind_) {
    case ObjectKind::text: {
        auto const text = detail::chars_of(*this);
        auto const place = detail::place_of_index(key, size(), "string");
        return Object(detail::nth_character(text, place));
    }
    case ObjectKind::bytes:
    case ObjectKind::byte_array: {
        auto const bytes = detail::chars_of(*this);
        return detail::byte_at(bytes, detail::place_of_index(key, bytes.size(), type_name()));
    }
    case ObjectKind::tuple: {
        auto const items = detail::node_as<detail::TupleNode>(*this).items();
        return items[detail::place_of_index(key, items.size(), "tuple")];
    }
    case ObjectKind::list: {
        auto const& items = detail::node_as<detail::ListNode>(*this).value;
        return items[detail::place_of_index(key, items.size(), "list")];
    }
    case ObjectKind::dict: {
        auto const* const entry = detail::node_as<detail::TableNode>(*this).value.find(key);
        if (entry == nullptr) detail::throw_key(key);
        return entry->value;
    }
    default: detail::throw_type_error("'", type_name(), "' object is not subscriptable");
    }
}

inline void Object::set_item(Object const& key, Object value) const {
    switch (kind_) {
    case ObjectKind::list: {
        auto& items = detail::node_as<detail::ListNode>(*this).value;
        items[detail::place_of_index(key, items.size(), "list")].swap(value);
        return;
    }
    case ObjectKind::dict:
        detail::node_as<detail::TableNode>(*this).value.insert(key).first->value.swap(value);
        return;
    case ObjectKind::byte_array: {
        auto& bytes = detail::node_as<detail::ByteArrayNode>(*this).value;
        auto const place = detail::place_of_index(key, bytes.size(), "bytearray");
        if (value.kind_ != ObjectKind::integer || value.word_ > 0xff)
            throw ValueError("byte must be in range(0, 256)");
        bytes[place] = static_cast<char>(value.word_);
        return;
    }
    default:
        detail::throw_type_error("'", type_name(), "' object does not support item assignment");
    }
}

inline ObjectItem Object::operator[](Object const& key) const { return {*this, key}; }

inline bool Object::contains(Object const& key) const {
    if (detail::is_table(kind_))
        return detail::node_as<detail::TableNode>(*this).value.find(key) != nullptr;
    if (kind_ == ObjectKind::text) {
        if (key.kind_ != ObjectKind::text)
            detail::throw_type_error("'in <string>' requires string as left operand, not ",
                                     key.type_name(), "");
        return detail::chars_of(*this).find(detail::chars_of(key)) != std::string_view::npos;
    }
    if (detail::is_bytes(kind_) && detail::is_bytes(key.kind_))
        return detail::chars_of(*this).find(detail::chars_of(key)) != std::string_view::npos;
    for (auto const& item : *this)
        if (item.is_same(key) || item == key) return true;
    return false;
}

inline ObjectIterator Object::begin() const { return ObjectIterator(*this); }
inline ObjectIterator Object::end() const { return ObjectIterator(*this, true); }

inline ObjectIterator::ObjectIterator(Object object, bool at_end) : object_(std::move(object)) {
    if (object_.kind() < ObjectKind::text || object_.kind() > ObjectKind::frozen_set)
        detail::throw_type_error("'", object_.type_name(), "' object is not iterable");
    if (at_end) {
        object_ = {};  // as an iterator that is made of nothing
        return;
    }
    if (detail::is_table(object_.kind())) size_ = object_.size();
    skip_removed();
}

inline std::size_t ObjectIterator::length() const {
    auto const kind = object_.kind();
    if (kind == ObjectKind::none) return 0;
    if (kind == ObjectKind::text) return detail::chars_of(object_).size();
    if (detail::is_table(kind))
        return detail::node_as<detail::TableNode>(object_).value.entries().size();
    return object_.size();
}

inline void ObjectIterator::skip_removed() {
    if (!detail::is_table(object_.kind())) return;
    auto const& table = detail::node_as<detail::TableNode>(object_).value;
    if (table.size() != size_)
        throw RuntimeError(object_.kind() == ObjectKind::dict
                               ? "dictionary changed size during iteration"
                               : "Set changed size during iteration");
    while (at_ < table.entries().size() && table.entries()[at_].removed()) ++at_;
}

inline Object ObjectIterator::operator*() const {
    switch (object_.kind()) {
    case ObjectKind::text: return Object(detail::character_at(detail::chars_of(object_), at_));
    case ObjectKind::bytes:
    case ObjectKind::byte_array: return detail::byte_at(detail::chars_of(object_), at_);
    case ObjectKind::tuple: return detail::node_as<detail::TupleNode>(object_).items()[at_];
    case ObjectKind::list: return detail::node_as<detail::ListNode>(object_).value[at_];
    default: return detail::node_as<detail::TableNode>(object_).value.entries()[at_].key;
    }
}

inline ObjectIterator& ObjectIterator::operator++() {
    at_ += object_.kind() == ObjectKind::text
               ? detail::character_at(detail::chars_of(object_), at_).size()
               : 1;
    skip_removed();
    return *this;
}

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::ObjectItem> : fmt::formatter<multiprocessing::Object> {
    template <class Context>
    auto format(multiprocessing::ObjectItem const& item, Context& context) const {
        return fmt::formatter<multiprocessing::Object>::format(item.get(), context);
    }
};
