// SPDX-License-Identifier: MIT
// multiprocessing/object/text.hpp — Objects as Python's print and repr show them.
// Layer 3 (object). Mirrors the __repr__ and __str__ of Python's built-in types.
#pragma once

#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/globals.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/printable.hpp>
#include <multiprocessing/object/real_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing::detail {

/// Two, four or eight digits, as the value needs.
inline void append_escape(std::string& out, std::uint32_t value) {
    out += value < 0x100 ? "\\x" : value < 0x10000 ? "\\u" : "\\U";
    append_hex(out, value, value < 0x100 ? 2 : value < 0x10000 ? 4 : 8);
}

/// Text in quotes, with escapes for what cannot be shown and for bytes that are no UTF-8.
inline void append_quoted(std::string& out, std::string_view text) {
    bool const apostrophe = text.find('\'') != text.npos && text.find('"') == text.npos;
    char const quote = apostrophe ? '"' : '\'';
    out += quote;
    while (!text.empty()) {
        auto const next = first_code_point(text);
        auto const size = next ? next->size : 1;
        auto const value = next ? next->value : static_cast<unsigned char>(text[0]);
        if (value == static_cast<unsigned char>(quote) || value == '\\')
            out += {'\\', static_cast<char>(value)};
        else if (value == '\n') out += "\\n";
        else if (value == '\r') out += "\\r";
        else if (value == '\t') out += "\\t";
        else if (next && is_printable(value)) out += text.substr(0, size);
        else append_escape(out, value);
        text.remove_prefix(size);
    }
    out += quote;
}

inline std::string complex_repr(ComplexParts const& parts) {
    auto const imag = real_digits(parts.imag);
    if (parts.real == 0 && !std::signbit(parts.real)) return imag + 'j';
    return joined({"(", real_digits(parts.real), imag[0] == '-' ? "" : "+", imag, "j)"});
}

/// Python: `module.name`, or `name` alone for a builtin.
inline std::string global_name(Object const& global) {
    auto const& parts = node_as<GlobalNode>(global).value;
    if (chars_of(parts.module) == "builtins") return std::string(chars_of(parts.name));
    return joined({chars_of(parts.module), ".", chars_of(parts.name)});
}

class ReprWriter {
public:
    void append(Object const& object);
    std::string take() { return std::move(out_); }

private:
    // Values that hold one another many times would make text without end.
    static constexpr std::size_t repeat_limit = std::size_t{1} << 20;  // no container a second time
    static constexpr std::size_t text_limit = std::size_t{256} << 20;  // nothing of any length

    void append_leaf(Object const& object);
    void append_node(Object const& object);
    bool is_elided(Object const& object);
    void append_items(std::span<Object const> items, char const* open, char const* close);
    void append_table(Table const& table, char const* open, char const* close, bool values);
    void append_instance(Object const& object);

    std::string out_;
    std::vector<Node const*> open_;  // the containers that hold what is being written
    std::unordered_set<Node const*> shown_;  // those that other Objects name, too
};

inline void ReprWriter::append_items(std::span<Object const> items, char const* open,
                                     char const* close) {
    out_ += open;
    bool first = true;
    for (auto const& item : items) {
        if (!first) out_ += ", ";
        first = false;
        append(item);
    }
    out_ += close;
}

inline void ReprWriter::append_table(Table const& table, char const* open, char const* close,
                                     bool values) {
    out_ += open;
    bool first = true;
    for (auto const& entry : table.entries()) {
        if (entry.removed()) continue;
        if (!first) out_ += ", ";
        first = false;
        append(entry.key);
        if (!values) continue;
        out_ += ": ";
        append(entry.value);
    }
    out_ += close;
}

inline void ReprWriter::append_instance(Object const& object) {
    auto const& parts = node_as<InstanceNode>(object).value;
    out_ += global_name(parts.global);
    auto const arguments = node_as<TupleNode>(parts.arguments).items();
    append_items(arguments, "(", ")");
}

inline void ReprWriter::append_node(Object const& object) {
    switch (object.kind()) {
    case ObjectKind::list: return append_items(node_as<ListNode>(object).value, "[", "]");
    case ObjectKind::tuple: {
        auto const items = node_as<TupleNode>(object).items();
        return append_items(items, "(", items.size() == 1 ? ",)" : ")");
    }
    case ObjectKind::dict: return append_table(node_as<TableNode>(object).value, "{", "}", true);
    case ObjectKind::set: {
        auto const& table = node_as<TableNode>(object).value;
        if (table.size() == 0) return void(out_ += "set()");
        return append_table(table, "{", "}", false);
    }
    case ObjectKind::frozen_set: {
        auto const& table = node_as<TableNode>(object).value;
        if (table.size() == 0) return void(out_ += "frozenset()");
        return append_table(table, "frozenset({", "})", false);
    }
    default: append_instance(object);
    }
}

inline void ReprWriter::append_leaf(Object const& object) {
    switch (object.kind()) {
    case ObjectKind::none: out_ += "None"; break;
    case ObjectKind::boolean: out_ += ObjectAccess::integer(object) != 0 ? "True" : "False"; break;
    case ObjectKind::integer: {
        fmt::format_int const text(ObjectAccess::integer(object));
        out_.append(text.data(), text.size());
        break;
    }
    case ObjectKind::real: out_ += real_repr(ObjectAccess::real(object)); break;
    case ObjectKind::big_integer: out_ += node_as<IntegerNode>(object).value.text(); break;
    case ObjectKind::complex: out_ += complex_repr(node_as<ComplexNode>(object).value); break;
    case ObjectKind::text: append_quoted(out_, chars_of(object)); break;
    case ObjectKind::bytes: out_ += Bytes(chars_of(object)).repr(); break;
    default: out_ += "bytearray(" + Bytes(chars_of(object)).repr() + ")"; break;
    }
}

/// Whether a container must not be shown here: because it is being shown, or has been too often.
inline bool ReprWriter::is_elided(Object const& object) {
    auto const* const node = ObjectAccess::node(object);
    if (out_.size() > text_limit) return true;
    if (!node->shared()) return false;
    return (!shown_.insert(node).second && out_.size() > repeat_limit) ||
           std::find(open_.begin(), open_.end(), node) != open_.end();
}

inline void ReprWriter::append(Object const& object) {
    auto const kind = object.kind();
    if (kind < ObjectKind::tuple) {
        if (kind >= ObjectKind::big_integer && out_.size() > text_limit) out_ += "...";
        else append_leaf(object);
        return;
    }
    if (kind == ObjectKind::global) {
        auto const& parts = node_as<GlobalNode>(object).value;
        auto const name = chars_of(parts.name);
        bool const constant = name == "Ellipsis" || name == "NotImplemented";
        if (constant && chars_of(parts.module) == "builtins") out_ += name;
        else out_ += "<class '" + global_name(object) + "'>";
        return;
    }
    if (is_elided(object)) {
        if (kind == ObjectKind::list) out_ += "[...]";
        else if (kind == ObjectKind::tuple) out_ += "(...)";
        else if (kind == ObjectKind::dict) out_ += "{...}";
        else out_ += joined({object.type_name(), "(...)"});
        return;
    }
    if (open_.size() >= static_cast<std::size_t>(object_depth_limit))
        throw_too_deep("while getting the repr of an object");
    open_.push_back(ObjectAccess::node(object));
    append_node(object);
    open_.pop_back();
}

}  // namespace multiprocessing::detail

namespace multiprocessing {

inline std::string_view Object::type_name() const {
    if (kind_ != ObjectKind::instance) return detail::kind_name(kind_);
    auto const& parts = detail::node_as<detail::InstanceNode>(*this).value;
    return detail::chars_of(detail::node_as<detail::GlobalNode>(parts.global).value.name);
}

inline std::string Object::repr() const {
    detail::ReprWriter writer;
    writer.append(*this);
    return writer.take();
}

// An exception shows its arguments; one that is the only argument of another shows its own.
inline std::string Object::str() const {
    Object shown = *this;
    for (int depth = 0; shown.kind_ == ObjectKind::instance; ++depth) {
        auto const& parts = detail::node_as<detail::InstanceNode>(shown).value;
        auto const& global = detail::node_as<detail::GlobalNode>(parts.global).value;
        auto const name = detail::chars_of(global.name);
        auto const arguments = detail::node_as<detail::TupleNode>(parts.arguments).items();
        if (depth == detail::object_depth_limit ||
            !detail::is_exception({detail::chars_of(global.module), name}))
            break;
        if (arguments.empty()) return {};
        if (arguments.size() > 1) return parts.arguments.repr();
        if (name == "KeyError") return arguments[0].repr();
        shown = Object(arguments[0]);
    }
    return shown.kind_ == ObjectKind::text ? std::string(detail::chars_of(shown)) : shown.repr();
}

}  // namespace multiprocessing

/// {} is Python's str, {:r} its repr, which containers show of their elements too.
template <>
struct fmt::formatter<multiprocessing::Object> {
    constexpr auto parse(fmt::format_parse_context& context) {
        auto at = context.begin();
        if (at != context.end() && *at == 'r') {
            repr_ = true;
            ++at;
        }
        return at;
    }
    constexpr void set_debug_format(bool on = true) { repr_ = on; }

    template <class Context>
    auto format(multiprocessing::Object const& object, Context& context) const {
        auto const text = repr_ ? object.repr() : object.str();
        return std::copy(text.begin(), text.end(), context.out());
    }

private:
    bool repr_ = false;
};
