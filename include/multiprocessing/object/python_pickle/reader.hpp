// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/reader.hpp — reads what CPython pickled, data only.
// Layer 3 (object). Mirrors Unpickler of Lib/pickle.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/convert.hpp>
#include <multiprocessing/object/global.hpp>
#include <multiprocessing/object/globals.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/python_pickle/memo.hpp>
#include <multiprocessing/object/python_pickle/opcode.hpp>
#include <multiprocessing/object/python_pickle/operands.hpp>
#include <multiprocessing/object/python_pickle/rebuild.hpp>
#include <multiprocessing/object/rings.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing {

/// What a reader of Python's pickles lets through.
struct PythonLoadOptions {
    bool unknown_globals = false;          // keep them by name, instead of refusing the pickle
    std::size_t max_values = 100'000'000;  // so many values may be made, each of a byte or more
};

namespace detail {

/// Runs one pickle. Its memory grows with the bytes read, at most by a fixed factor.
class PythonReader {
public:
    PythonReader(std::string_view bytes, PythonLoadOptions const& options)
        : bytes_(bytes), rebuilder_(2 * bytes.size()), options_(options) {}

    /// Errors: UnpicklingError, TypeError and RuntimeError.
    Object load();

private:
    Object run();
    void step(Opcode code);
    void step_number(Opcode code);
    void step_container(Opcode code);
    void step_memo(Opcode code);

    void push(Object object) {
        if (++values_ > options_.max_values)
            throw UnpicklingError("the pickle has too many values");
        stack_.push_back(std::move(object));
    }
    /// A value that is elsewhere, too; every ring goes through one of these.
    void push_again(Object const& object) {
        if (is_container(object.kind())) again_.push_back(object);
        push(object);
    }
    std::size_t fence() const noexcept { return marks_.empty() ? 0 : marks_.back(); }
    Object& top() {
        if (stack_.size() <= fence()) throw UnpicklingError("the pickle's stack is empty");
        return stack_.back();
    }
    Object pop() {
        auto object = std::move(top());
        stack_.pop_back();
        return object;
    }
    /// The items above the last mark, which is gone. They stay until drop_items().
    std::span<Object> items_above_mark() {
        if (marks_.empty()) throw UnpicklingError("the pickle's stack has no mark");
        auto const items = std::span(stack_).subspan(marks_.back());
        marks_.pop_back();
        return items;
    }
    void drop_items(std::size_t count) { stack_.resize(stack_.size() - count); }
    /// What lies below the items.
    Object& below(std::size_t count) {
        if (stack_.size() < fence() + count + 1)
            throw UnpicklingError("the pickle's stack is empty");
        return stack_[stack_.size() - count - 1];
    }

    void push_text(std::string_view text) { push(Object(checked_utf8(text))); }
    void push_bytes(std::string_view bytes) { push(ObjectAccess::bytes(bytes)); }
    void push_tuple(std::span<Object> items);
    void push_global(std::string_view module, std::string_view name);
    void push_call();
    void append(std::span<Object> items);
    void set_items(std::span<Object> pairs);
    void add_items(std::span<Object> items);
    void build();
    void get(std::uint64_t index);
    static std::uint64_t index_of(Object const& number);
    void free_lost(Object const* result) noexcept;

    PickleBytes bytes_;
    PickleRebuilder rebuilder_;
    PythonLoadOptions options_;
    std::vector<Object> stack_;
    std::vector<std::size_t> marks_;
    PickleMemo memo_;
    std::vector<Object> again_;  // containers that were pushed more than once
    std::size_t values_ = 0;
    std::uint8_t protocol_ = 0;
};

inline Object PythonReader::load() {
    try {
        auto result = run();
        free_lost(&result);
        return result;
    } catch (...) {
        free_lost(nullptr);
        throw;
    }
}

inline Object PythonReader::run() {
    for (;;) {
        auto const code = static_cast<Opcode>(bytes_.number<std::uint8_t>());
        if (code == Opcode::stop) return pop();
        step(code);
    }
}

// Rings that are no part of the result would never be freed.
inline void PythonReader::free_lost(Object const* result) noexcept {
    if (again_.empty()) return;
    try {
        auto const kept = result != nullptr ? reachable_containers(*result) : NodeSet();
        for (auto const& container : again_)
            if (!kept.contains(ObjectAccess::node(container))) empty_container(container);
    } catch (std::bad_alloc const&) {
        // Without memory to tell which those are, they stay.
    }
}

inline void PythonReader::step(Opcode code) {
    using enum Opcode;
    switch (code) {
    case proto:
        protocol_ = bytes_.number<std::uint8_t>();
        if (protocol_ > highest_pickle_protocol)
            throw UnpicklingError(fmt::format("unsupported pickle protocol: {}", protocol_));
        return;
    case frame:
        if (bytes_.number<std::uint64_t>() > bytes_.remaining())
            throw UnpicklingError("a frame is longer than the pickle");
        return;
    case none: return push(None);
    case newtrue: return push(true);
    case newfalse: return push(false);
    case short_binunicode: return push_text(bytes_.counted<std::uint8_t>());
    case binunicode: return push_text(bytes_.counted<std::uint32_t>());
    case binunicode8: return push_text(bytes_.counted<std::uint64_t>());
    case unicode_text: return push(Object(read_escaped(bytes_.line())));
    case short_binbytes: return push_bytes(bytes_.counted<std::uint8_t>());
    case binbytes: return push_bytes(bytes_.counted<std::uint32_t>());
    case binbytes8: return push_bytes(bytes_.counted<std::uint64_t>());
    case bytearray8:
        return push(ObjectAccess::make<ByteArrayNode>(
            ObjectKind::byte_array, std::string(bytes_.counted<std::uint64_t>())));
    case global: {
        auto const module = checked_utf8(bytes_.line());
        return push_global(module, checked_utf8(bytes_.line()));
    }
    case stack_global: {
        auto const name = this->pop();
        auto const module = this->pop();
        if (name.kind() != ObjectKind::text || module.kind() != ObjectKind::text)
            throw UnpicklingError("STACK_GLOBAL requires str");
        return push_global(chars_of(module), chars_of(name));
    }
    case reduce:
    case newobj: return push_call();
    case build: return this->build();
    default: return step_number(code);
    }
}

inline void PythonReader::step_number(Opcode code) {
    using enum Opcode;
    switch (code) {
    case binint1: return push(bytes_.number<std::uint8_t>());
    case binint2: return push(bytes_.number<std::uint16_t>());
    case binint: return push(static_cast<std::int32_t>(bytes_.number<std::uint32_t>()));
    case long1: return push(read_long_bytes(bytes_.counted<std::uint8_t>()));
    case long4: {
        auto const size = bytes_.number<std::uint32_t>();
        if (size > 0x7fffffff) throw UnpicklingError("LONG4 has a negative length");
        return push(read_long_bytes(bytes_.take(size)));
    }
    case binfloat: return push(read_float_bytes(bytes_.take(8)));
    case int_text: return push(read_int_line(bytes_.line()));
    case long_text: return push(read_long_line(bytes_.line()));
    case float_text: return push(read_float_line(bytes_.line()));
    default: return step_container(code);
    }
}

inline void PythonReader::step_container(Opcode code) {
    using enum Opcode;
    switch (code) {
    case mark: marks_.push_back(stack_.size()); return;
    case empty_list: return push(ObjectAccess::make<ListNode>(ObjectKind::list));
    case empty_dict: return push(ObjectAccess::make<TableNode>(ObjectKind::dict));
    case empty_set: return push(ObjectAccess::make<TableNode>(ObjectKind::set));
    case empty_tuple: return push(ObjectAccess::adopt(TupleNode::make(0)));
    case tuple1:
    case tuple2:
    case tuple3: {
        auto const count = static_cast<std::size_t>(code) - static_cast<std::size_t>(tuple1) + 1;
        if (stack_.size() < fence() + count)
            throw UnpicklingError("the pickle's stack is empty");
        return push_tuple(std::span(stack_).last(count));
    }
    case tuple: return push_tuple(items_above_mark());
    case list:
    case dict:
    case frozenset: {
        auto const items = items_above_mark();
        auto const count = items.size();
        auto made = code == list   ? ObjectAccess::make<ListNode>(ObjectKind::list)
                    : code == dict ? ObjectAccess::make<TableNode>(ObjectKind::dict)
                                   : ObjectAccess::make<TableNode>(ObjectKind::frozen_set);
        // Below its items, so that it is filled as one that was made empty.
        stack_.insert(stack_.end() - static_cast<std::ptrdiff_t>(count), std::move(made));
        auto const moved = std::span(stack_).last(count);
        if (code == list) return this->append(moved);
        return code == dict ? set_items(moved) : add_items(moved);
    }
    case Opcode::append:
        top();
        return this->append(std::span(stack_).last(1));
    case appends: return this->append(items_above_mark());
    case setitem:
        below(1);
        return set_items(std::span(stack_).last(2));
    case setitems: return set_items(items_above_mark());
    case additems: {
        auto const items = items_above_mark();
        if (below(items.size()).kind() != ObjectKind::set)
            throw UnpicklingError("ADDITEMS to something that is no set");
        return add_items(items);
    }
    default: return step_memo(code);
    }
}

inline void PythonReader::step_memo(Opcode code) {
    using enum Opcode;
    switch (code) {
    case Opcode::pop:
        // On an empty segment it takes the mark away.
        if (!marks_.empty() && marks_.back() == stack_.size()) marks_.pop_back();
        else static_cast<void>(this->pop());
        return;
    case pop_mark: return drop_items(items_above_mark().size());
    case dup: {
        auto const object = top();
        return push_again(object);
    }
    case memoize: return memo_.append(top());
    case binput: return memo_.put(bytes_.number<std::uint8_t>(), top());
    case long_binput: return memo_.put(bytes_.number<std::uint32_t>(), top());
    case put_text: return memo_.put(index_of(read_decimal(bytes_.line())), top());
    case binget: return get(bytes_.number<std::uint8_t>());
    case long_binget: return get(bytes_.number<std::uint32_t>());
    case get_text: return get(index_of(read_decimal(bytes_.line())));
    default:
        throw UnpicklingError(fmt::format(
            "the opcode {:#04x} is unknown or not for plain data", static_cast<unsigned>(code)));
    }
}

inline std::uint64_t PythonReader::index_of(Object const& number) {
    if (number.kind() != ObjectKind::integer || ObjectAccess::integer(number) < 0)
        throw UnpicklingError("the number of a value is negative or too large");
    return static_cast<std::uint64_t>(ObjectAccess::integer(number));
}

inline void PythonReader::get(std::uint64_t index) {
    auto const* const object = memo_.find(index);
    if (object == nullptr)
        throw UnpicklingError(fmt::format("Memo value not found at index {}", index));
    push_again(*object);
}

inline void PythonReader::push_tuple(std::span<Object> items) {
    auto const count = items.size();
    auto made = ObjectAccess::adopt(TupleNode::make(count));
    auto* to = node_as<TupleNode>(made).first();
    for (auto& item : items) (to++)->swap(item);
    drop_items(count);
    push(std::move(made));
}

inline void PythonReader::push_global(std::string_view module, std::string_view name) {
    GlobalName found{module, name};
    if (protocol_ < 3) found = modern_name(found);
    if (!is_known_global(found) &&
        (!options_.unknown_globals || found.name.find('.') != std::string_view::npos))
        throw UnpicklingError(fmt::format("global '{}.{}' is forbidden", module, name));
    push(Global(found.module, found.name));
}

inline void PythonReader::push_call() {
    auto const arguments = pop();
    auto const callable = pop();
    push(rebuilder_.call(callable, arguments));
}

inline void PythonReader::append(std::span<Object> items) {
    auto const& to = below(items.size());
    if (to.kind() != ObjectKind::list && to.kind() != ObjectKind::instance)
        throw UnpicklingError(fmt::format("an item for a value of type {}", to.type_name()));
    auto& list = to.kind() == ObjectKind::list ? node_as<ListNode>(to).value
                                               : node_as<InstanceNode>(to).value.items;
    list.insert(list.end(), std::move_iterator(items.begin()), std::move_iterator(items.end()));
    drop_items(items.size());
}

inline void PythonReader::set_items(std::span<Object> pairs) {
    if (pairs.size() % 2 != 0) throw UnpicklingError("odd number of items for SETITEMS");
    auto const& to = below(pairs.size());
    if (to.kind() == ObjectKind::instance) {
        auto& all = node_as<InstanceNode>(to).value.pairs;
        all.insert(all.end(), std::move_iterator(pairs.begin()), std::move_iterator(pairs.end()));
    } else if (to.kind() == ObjectKind::dict) {
        auto& table = node_as<TableNode>(to).value;
        if (pairs.size() > 2) table.reserve(pairs.size() / 2);
        for (std::size_t i = 0; i < pairs.size(); i += 2)
            table.insert(std::move(pairs[i])).first->value = std::move(pairs[i + 1]);
    } else {
        throw UnpicklingError(fmt::format("a key for a value of type {}", to.type_name()));
    }
    drop_items(pairs.size());
}

inline void PythonReader::add_items(std::span<Object> items) {
    auto& table = node_as<TableNode>(below(items.size())).value;
    for (auto& item : items) table.insert(std::move(item));
    drop_items(items.size());
}

inline void PythonReader::build() {
    auto state = pop();
    auto const& to = top();
    if (to.kind() != ObjectKind::instance)
        throw UnpicklingError(fmt::format("a state for a value of type {}", to.type_name()));
    Instance::of(to).state(std::move(state));
}

}  // namespace detail
}  // namespace multiprocessing
