// SPDX-License-Identifier: MIT
// multiprocessing/object/dict.hpp — a dict of Objects, in the order of insertion.
// Layer 3 (object). Mirrors dict of Python.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/list.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/table.hpp>
#include <multiprocessing/object/tuple.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// The pairs of a dict, to go through: `for (auto [key, value] : dict.items())`. It keeps the dict
/// alive; `value` is the dict's own. Errors: RuntimeError when the dict changes its size meanwhile.
/// Python: `dict_items`.
class DictItems {
public:
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = std::pair<Object, Object>;
        using difference_type = std::ptrdiff_t;
        using reference = std::pair<Object const&, Object&>;
        using pointer = void;

        Iterator() = default;
        explicit Iterator(detail::Table& table) : table_(&table), size_(table.size()) { skip(); }

        reference operator*() const {
            auto& entry = table_->entries()[at_];
            return {entry.key, entry.value};
        }
        Iterator& operator++() {
            ++at_;
            skip();
            return *this;
        }
        Iterator operator++(int) {
            auto const old = *this;
            ++*this;
            return old;
        }
        bool operator==(Iterator const& other) const {
            return at_end() ? other.at_end() : !other.at_end() && at_ == other.at_;
        }

    private:
        bool at_end() const { return table_ == nullptr || at_ >= table_->entries().size(); }
        void skip() {
            if (table_->size() != size_)
                throw RuntimeError("dictionary changed size during iteration");
            while (!at_end() && table_->entries()[at_].removed()) ++at_;
        }

        detail::Table* table_ = nullptr;
        std::size_t at_ = 0;
        std::size_t size_ = 0;
    };

    explicit DictItems(Object dict) : dict_(std::move(dict)) {}
    Iterator begin() const {
        return Iterator(detail::node_as<detail::TableNode>(dict_).value);
    }
    Iterator end() const { return {}; }

private:
    Object dict_;
};

/// Copies name the same dict.
/// Sharing: as Object.
/// Python: `dict`.
class Dict : public detail::ObjectHandle {
public:
    using key_type = Object;
    using mapped_type = Object;

    Dict() : ObjectHandle(detail::ObjectAccess::make<detail::TableNode>(ObjectKind::dict)) {}
    /// Of two equal keys the first stays, with the second one's value. Errors: TypeError.
    Dict(std::initializer_list<std::pair<Object, Object>> pairs) : Dict() { update(pairs); }
    /// A new dict of what the range of pairs has. Errors: TypeError.
    /// Python: `dict(iterable)`.
    template <detail::RangeValue R>
        requires(!std::same_as<std::remove_cvref_t<R>, Dict>)
    explicit Dict(R&& pairs) : Dict() {
        update(pairs);
    }
    /// The dict that an Object is. Errors: TypeError.
    static Dict of(Object const& object) { return Dict(object, ObjectKind::dict); }

    /// Errors: when it is read: KeyError.
    /// Python: `self[key]`, `self[key] = x`.
    ObjectItem operator[](Object const& key) const { return object_[key]; }
    /// The value itself. Errors: KeyError, TypeError.
    Object& at(Object const& key) const {
        auto* const entry = table().find(key);
        if (entry == nullptr) detail::throw_key(key);
        return entry->value;
    }
    /// Python: `get(key, default=None)`.
    [[nodiscard]] Object get(Object const& key, Object const& otherwise = None) const {
        auto const* const entry = table().find(key);
        return entry != nullptr ? entry->value : otherwise;
    }
    Object& setdefault(Object const& key, Object value = None) const {
        auto const [entry, is_new] = table().insert(key);
        if (is_new) entry->value = std::move(value);
        return entry->value;
    }
    /// Errors: KeyError.
    Object pop(Object const& key) const {
        auto* const entry = table().find(key);
        if (entry == nullptr) detail::throw_key(key);
        return take(*entry).second;
    }
    Object pop(Object const& key, Object const& otherwise) const {
        auto* const entry = table().find(key);
        return entry != nullptr ? take(*entry).second : otherwise;
    }
    /// The last pair. Errors: KeyError.
    std::pair<Object, Object> popitem() const {
        if (empty()) throw KeyError("'popitem(): dictionary is empty'");
        return take(*table().last());
    }
    /// Whether there was such a key.
    /// Python: `del self[key]`, without its KeyError.
    bool erase(Object const& key) const {
        auto* const entry = table().find(key);
        if (entry != nullptr) take(*entry);
        return entry != nullptr;
    }
    template <detail::RangeValue R>
        requires(!std::same_as<std::remove_cvref_t<R>, Dict>)
    void update(R&& pairs) const {
        for (auto&& [key, value] : pairs) table().insert(Object(key)).first->value = Object(value);
    }
    void update(Dict const& other) const {
        if (!is_same(other)) update(other.items());
    }
    void clear() const { table().clear(); }
    /// A new dict of the same items.
    [[nodiscard]] Dict copy() const { return Dict(items()); }

    /// The keys. Errors: as Object::begin().
    ObjectIterator begin() const { return object_.begin(); }
    ObjectIterator end() const { return object_.end(); }
    [[nodiscard]] List keys() const { return List(object_); }
    [[nodiscard]] List values() const {
        List values;
        for (auto&& [key, value] : items()) values.append(value);
        return values;
    }
    [[nodiscard]] DictItems items() const { return DictItems(object_); }

private:
    Dict(Object const& object, ObjectKind kind) : ObjectHandle(object, kind) {}

    std::pair<Object, Object> take(detail::TableEntry& entry) const {
        std::pair<Object, Object> taken(std::move(entry.key), std::move(entry.value));
        table().remove(entry);
        return taken;
    }
    detail::Table& table() const noexcept {
        return detail::node_as<detail::TableNode>(object_).value;
    }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Dict> : multiprocessing::detail::ReprFormatter {};
