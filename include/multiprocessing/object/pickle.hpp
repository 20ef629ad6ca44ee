// SPDX-License-Identifier: MIT
// multiprocessing/object/pickle.hpp — Objects between the processes of a tree.
// Layer 3 (object). Mirrors Lib/pickle.py, in the library's own format.
//
// A byte for the kind, then: an int as zigzag, a float as 8 bytes, text and bytes with a length,
// containers with the number of their items. A value that several Objects name carries a mark; it
// is numbered and written once, then named by its number.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/hash.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/rings.hpp>
#include <multiprocessing/pickle.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace multiprocessing {

namespace detail {

/// Writes one Object and what it holds.
class ObjectWriter {
public:
    explicit ObjectWriter(Writer& writer) noexcept : writer_(writer) {}
    void write(Object const& object);

private:
    friend class ObjectReader;
    static constexpr std::uint8_t reference = 0x40;  // a value that came before
    static constexpr std::uint8_t numbered = 0x80;   // a value that may come again

    void put_byte(std::uint8_t byte) { *writer_.claim(1) = static_cast<std::byte>(byte); }
    template <class T>
    void put_raw(T const& value) {
        writer_.raw(&value, sizeof value);
    }
    void put_chars(std::string_view chars) {
        writer_.write_size(chars.size());
        writer_.raw(chars.data(), chars.size());
    }
    void put_items(std::span<Object const> items) {
        writer_.write_size(items.size());
        for (auto const& item : items) write(item);
    }
    bool put_reference(Object const& object);
    void put_leaf(Object const& object);
    void put_container(Object const& object);

    Writer& writer_;
};

/// Reads what ObjectWriter wrote; the bytes may be anything.
class ObjectReader {
public:
    explicit ObjectReader(Reader& reader) noexcept : reader_(reader) {}
    Object read();

private:
    template <class T>
    T get_raw() {
        T value{};
        reader_.raw(&value, sizeof value);
        return value;
    }
    std::string_view get_chars() {
        auto const bytes = reader_.raw(reader_.read_count());
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }
    /// The number of items of a container, whose room may be taken at once.
    std::size_t get_count(std::size_t objects_each) {
        auto const count = reader_.read_count();
        promised_ += count * objects_each;  // no overflow: a message has fewer than 2^60 bytes
        if (promised_ > reader_.remaining()) reader_.fail("containers promise more than there is");
        return count;
    }
    Object get_reference();
    Object get_leaf(ObjectKind kind);
    Object make_container(ObjectKind kind, std::size_t count);
    void fill(Object const& container, std::size_t count);
    void fill_instance(InstanceParts& parts);
    void get_items(std::vector<Object>& items, std::size_t count);
    /// Errors: UnpicklingError for what cannot be a key.
    TableEntry& get_key(Table& table);

    Reader& reader_;
    std::size_t promised_ = 1;  // objects that follow, each of a byte at least
};

inline void ObjectWriter::write(Object const& object) {
    auto const kind = static_cast<std::uint8_t>(object.kind());
    switch (object.kind()) {
    case ObjectKind::none: put_byte(kind); return;
    case ObjectKind::boolean:
        put_byte(kind);
        put_byte(ObjectAccess::integer(object) != 0);
        return;
    case ObjectKind::integer: {
        put_byte(kind);
        auto const value = ObjectAccess::integer(object);
        writer_.write_size((static_cast<std::uint64_t>(value) << 1) ^
                           static_cast<std::uint64_t>(value >> 63));
        return;
    }
    case ObjectKind::real:
        put_byte(kind);
        put_raw(ObjectAccess::real(object));
        return;
    default: break;
    }
    if (!ObjectAccess::shared(object)) put_byte(kind);
    else if (put_reference(object)) return;
    if (object.kind() < ObjectKind::tuple) put_leaf(object);
    else put_container(object);
}

// Whether it was written before.
inline bool ObjectWriter::put_reference(Object const& object) {
    auto& written = writer_.shared_written();
    auto const* const node = ObjectAccess::node(object);
    void const* const tag = &type_tag<Object>;
    if (auto const index = written.find(node, tag)) {
        put_byte(reference);
        writer_.write_size(*index);
        return true;
    }
    written.close(written.add({std::make_shared<Object>(object), node}, tag));
    put_byte(static_cast<std::uint8_t>(object.kind()) | numbered);
    return false;
}

inline void ObjectWriter::put_leaf(Object const& object) {
    if (object.kind() == ObjectKind::complex) {
        put_raw(node_as<ComplexNode>(object).value);
    } else if (object.kind() == ObjectKind::big_integer) {
        auto const bytes = node_as<IntegerNode>(object).value.bytes();
        put_chars({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
    } else {
        put_chars(chars_of(object));
    }
}

inline void ObjectWriter::put_container(Object const& object) {
    auto const level = writer_.nested();
    switch (object.kind()) {
    case ObjectKind::tuple: put_items(node_as<TupleNode>(object).items()); break;
    case ObjectKind::list: put_items(node_as<ListNode>(object).value); break;
    case ObjectKind::global: {
        auto const& parts = node_as<GlobalNode>(object).value;
        writer_.write_size(2);
        write(parts.module);
        write(parts.name);
        break;
    }
    case ObjectKind::instance: {
        auto const& parts = node_as<InstanceNode>(object).value;
        writer_.write_size(parts.has_state ? 3 : 2);
        write(parts.global);
        write(parts.arguments);
        if (parts.has_state) write(parts.state);
        put_items(parts.items);
        put_items(parts.pairs);
        break;
    }
    default: {
        auto const& table = node_as<TableNode>(object).value;
        writer_.write_size(table.size());
        for (auto const& entry : table.entries()) {
            if (entry.removed()) continue;
            write(entry.key);
            if (object.kind() == ObjectKind::dict) write(entry.value);
        }
    }
    }
}

inline Object ObjectReader::read() {
    --promised_;
    auto const head = get_raw<std::uint8_t>();
    if (head == ObjectWriter::reference) return get_reference();
    auto const code = static_cast<std::uint8_t>(head & ~ObjectWriter::numbered);
    if (code > static_cast<std::uint8_t>(ObjectKind::instance)) reader_.fail("no such kind");
    auto const kind = static_cast<ObjectKind>(code);
    bool const container = kind >= ObjectKind::tuple;
    auto const count = container ? get_count(kind == ObjectKind::dict ? 2 : 1) : 0;
    auto object = container ? make_container(kind, count) : get_leaf(kind);
    // It may be named by what is inside it, so it is numbered first.
    if ((head & ObjectWriter::numbered) != 0)
        reader_.shared_read().push_back(
            {std::make_shared<Object>(object), &type_tag<Object>, false});
    if (container) {
        auto const level = reader_.nested();
        fill(object, count);
    }
    return object;
}

inline Object ObjectReader::get_reference() {
    auto const number = reader_.read_size();
    auto const& known = reader_.shared_read();
    if (number >= known.size() || known[static_cast<std::size_t>(number)].tag != &type_tag<Object>)
        reader_.fail("an object is named that did not come before");
    return *static_cast<Object const*>(known[static_cast<std::size_t>(number)].object.get());
}

inline Object ObjectReader::get_leaf(ObjectKind kind) {
    switch (kind) {
    case ObjectKind::none: return None;
    case ObjectKind::boolean: return get_raw<std::uint8_t>() != 0;
    case ObjectKind::integer: {
        auto const value = reader_.read_size();
        return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
    }
    case ObjectKind::real: return get_raw<double>();
    case ObjectKind::complex: {
        auto const parts = get_raw<ComplexParts>();
        return ObjectAccess::complex(parts.real, parts.imag);
    }
    case ObjectKind::big_integer: {
        auto const chars = get_chars();
        return ObjectAccess::integer(BigInteger::from_bytes(
            {reinterpret_cast<unsigned char const*>(chars.data()), chars.size()}));
    }
    case ObjectKind::byte_array:
        return ObjectAccess::make<ByteArrayNode>(kind, std::string(get_chars()));
    default: return ObjectAccess::adopt(CharsNode::make(kind, get_chars()));
    }
}

inline Object ObjectReader::make_container(ObjectKind kind, std::size_t count) {
    switch (kind) {
    case ObjectKind::tuple: return ObjectAccess::adopt(TupleNode::make(count));
    case ObjectKind::list: return ObjectAccess::make<ListNode>(kind);
    case ObjectKind::global:
        return ObjectAccess::make<GlobalNode>(kind, GlobalParts{Object(""), Object("")});
    case ObjectKind::instance:
        // Complete from the start: what is inside may come back to it.
        return ObjectAccess::make<InstanceNode>(
            kind, InstanceParts{ObjectAccess::make<GlobalNode>(ObjectKind::global,
                                                               GlobalParts{Object(""), Object("")}),
                                ObjectAccess::adopt(TupleNode::make(0))});
    default: return ObjectAccess::make<TableNode>(kind);
    }
}

inline void ObjectReader::get_items(std::vector<Object>& items, std::size_t count) {
    items.reserve(items.size() + count);
    for (; count != 0; --count) items.push_back(read());
}

inline TableEntry& ObjectReader::get_key(Table& table) {
    auto key = read();
    try {
        return *table.insert(std::move(key)).first;
    } catch (TypeError const& error) {
        reader_.fail(error.what());
    } catch (RuntimeError const& error) {
        reader_.fail(error.what());
    }
}

inline void ObjectReader::fill(Object const& container, std::size_t count) {
    switch (container.kind()) {
    case ObjectKind::tuple:
        for (auto& item : node_as<TupleNode>(container).items()) item = read();
        break;
    case ObjectKind::list: get_items(node_as<ListNode>(container).value, count); break;
    case ObjectKind::global: {
        if (count != 2) reader_.fail("a global of too many parts");
        auto& parts = node_as<GlobalNode>(container).value;
        auto module = read();
        auto name = read();
        if (module.kind() != ObjectKind::text || name.kind() != ObjectKind::text)
            reader_.fail("a global without a name");
        parts = {std::move(module), std::move(name)};
        break;
    }
    case ObjectKind::instance: {
        if (count != 2 && count != 3) reader_.fail("an instance of too many parts");
        auto& parts = node_as<InstanceNode>(container).value;
        parts.has_state = count == 3;
        fill_instance(parts);
        break;
    }
    default: {
        auto& table = node_as<TableNode>(container).value;
        table.reserve(count);
        for (; count != 0; --count) {
            auto& entry = get_key(table);
            if (container.kind() == ObjectKind::dict) entry.value = read();
        }
    }
    }
}

inline void ObjectReader::fill_instance(InstanceParts& parts) {
    auto global = read();
    auto arguments = read();
    if (global.kind() != ObjectKind::global || arguments.kind() != ObjectKind::tuple)
        reader_.fail("an instance of no class");
    parts.global = std::move(global);
    parts.arguments = std::move(arguments);
    if (parts.has_state) parts.state = read();
    get_items(parts.items, get_count(1));
    get_items(parts.pairs, get_count(1));
    if (parts.pairs.size() % 2 != 0) reader_.fail("a key without a value");
}

}  // namespace detail

/// What Objects name together is one again behind the Objects of one message.
/// Errors: PicklingError and UnpicklingError beyond 1000 levels.
template <>
struct pickle<Object> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a("object");
    static constexpr std::size_t min_size = 1;
    static constexpr bool nests = true;

    static void dump(Writer& writer, Object const& object) {
        detail::ObjectWriter(writer).write(object);
    }
    static Object load(Reader& reader) {
        auto const before = reader.shared_read().size();
        try {
            return detail::ObjectReader(reader).read();
        } catch (...) {
            // What was read may hold itself, and then nobody else frees it.
            auto const& known = reader.shared_read();
            for (std::size_t i = before; i < known.size(); ++i) {
                if (known[i].tag != &detail::type_tag<Object>) continue;
                auto const& object = *static_cast<Object const*>(known[i].object.get());
                if (detail::is_container(object.kind())) detail::empty_container(object);
            }
            throw;
        }
    }
};

}  // namespace multiprocessing
