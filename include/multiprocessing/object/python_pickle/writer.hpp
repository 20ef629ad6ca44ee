// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/writer.hpp — writes Objects as CPython pickles them.
// Layer 3 (object). Mirrors Pickler of Lib/pickle.py, protocols 4 and 5.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/global.hpp>
#include <multiprocessing/object/globals.hpp>
#include <multiprocessing/object/hash.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/printable.hpp>
#include <multiprocessing/object/python_pickle/frames.hpp>
#include <multiprocessing/object/python_pickle/opcode.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace multiprocessing::detail {

/// For plain data the bytes are those that CPython 3.8 to 3.14 write.
class PythonWriter {
public:
    explicit PythonWriter(std::uint8_t protocol) : out_(protocol), protocol_(protocol) {}

    /// Errors: PicklingError.
    std::string dump(Object const& object) && {
        save(object, 0);
        put(Opcode::stop);
        return out_.take();
    }

private:
    static constexpr std::size_t batch = 1000;

    void put(Opcode code) { out_.put(code); }
    void save(Object const& object, int depth);
    void save_integer(std::int64_t value);
    void save_long(std::span<unsigned char const> bytes);
    void save_real(double value);
    void save_node(Object const& object, int depth);
    void save_complex(Object const& object, int depth);
    void save_byte_array(Object const& object, int depth);
    void save_tuple(Object const& object, int depth);
    void save_items(std::span<Object const> items, int depth);
    void save_pairs(std::size_t count, auto next, int depth);
    void save_table(Object const& object, int depth);
    void save_frozen_set(Object const& object, int depth);
    void save_instance(Object const& object, int depth);
    void save_class(std::string_view module, std::string_view name);
    void save_global(std::string_view module, std::string_view name);
    void save_name(std::string_view name);

    void put_text(std::string_view text);
    void put_bytes(std::string_view bytes);

    /// Whether the value may come again.
    bool returns(Object const& object) const noexcept {
        return twice_ != 0 || ObjectAccess::shared(object);
    }
    void memoize(Object const& object) {
        if (returns(object)) memo_.emplace(ObjectAccess::node(object), count_);
        memoize_anonymous();
    }
    /// For what nothing refers to again.
    void memoize_anonymous() {
        put(Opcode::memoize);
        ++count_;
    }
    void put_get(std::uint32_t index);
    /// Whether it was written before, and now by its number.
    bool get(Object const& object) {
        if (!returns(object)) return false;
        auto const found = memo_.find(ObjectAccess::node(object));
        if (found == memo_.end()) return false;
        put_get(found->second);
        return true;
    }
    bool get_name(std::string const& name) {
        auto const found = names_.find(name);
        if (found == names_.end()) return false;
        put_get(found->second);
        return true;
    }

    PickleFrames out_;
    std::unordered_map<Node const*, std::uint32_t> memo_;
    std::map<std::string, std::uint32_t> names_;  // of modules and globals; Python interns those
    std::uint32_t count_ = 0;
    // Open values that get their number at their end: what is in them may be written twice, though
    // nothing else names it, since they are begun again where they hold themselves.
    std::uint32_t twice_ = 0;
    std::uint8_t protocol_;
};

inline void PythonWriter::put_get(std::uint32_t index) {
    put(index < 256 ? Opcode::binget : Opcode::long_binget);
    out_.put_number(index, index < 256 ? 1 : 4);
}

inline void PythonWriter::put_text(std::string_view text) {
    if (!is_utf8(text)) throw PicklingError("a str is no UTF-8, which Python's would be");
    out_.put_payload(Opcode::short_binunicode, Opcode::binunicode, Opcode::binunicode8, text);
}

inline void PythonWriter::put_bytes(std::string_view bytes) {
    out_.put_payload(Opcode::short_binbytes, Opcode::binbytes, Opcode::binbytes8, bytes);
}

inline void PythonWriter::save(Object const& object, int depth) {
    out_.between_values();
    switch (object.kind()) {
    case ObjectKind::none: return put(Opcode::none);
    case ObjectKind::boolean:
        return put(ObjectAccess::integer(object) != 0 ? Opcode::newtrue : Opcode::newfalse);
    case ObjectKind::integer: return save_integer(ObjectAccess::integer(object));
    case ObjectKind::big_integer: return save_long(node_as<IntegerNode>(object).value.bytes());
    case ObjectKind::real: return save_real(ObjectAccess::real(object));
    case ObjectKind::tuple:
        if (node_as<TupleNode>(object).size == 0) return put(Opcode::empty_tuple);
        [[fallthrough]];
    default: break;
    }
    if (depth > object_depth_limit)
        throw PicklingError("the value is nested too deeply to be pickled (1000 levels)");
    if (!get(object)) save_node(object, depth + 1);
}

inline void PythonWriter::save_integer(std::int64_t value) {
    auto const bits = static_cast<std::uint64_t>(value);
    if (value >= 0 && value <= 0xff) {
        put(Opcode::binint1);
        out_.put_number(bits, 1);
    } else if (value >= 0 && value <= 0xffff) {
        put(Opcode::binint2);
        out_.put_number(bits, 2);
    } else if (value >= -0x80000000ll && value <= 0x7fffffff) {
        put(Opcode::binint);
        out_.put_number(bits, 4);
    } else {
        save_long(BigInteger(value).bytes());
    }
}

inline void PythonWriter::save_long(std::span<unsigned char const> bytes) {
    put(bytes.size() < 256 ? Opcode::long1 : Opcode::long4);
    out_.put_number(bytes.size(), bytes.size() < 256 ? 1 : 4);
    out_.put_raw({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}

inline void PythonWriter::save_real(double value) {
    put(Opcode::binfloat);
    auto const bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) out_.put_number(bits >> shift, 1);
}

inline void PythonWriter::save_node(Object const& object, int depth) {
    switch (object.kind()) {
    case ObjectKind::text:
        put_text(chars_of(object));
        return memoize(object);
    case ObjectKind::bytes:
        put_bytes(chars_of(object));
        return memoize(object);
    case ObjectKind::complex: return save_complex(object, depth);
    case ObjectKind::byte_array: return save_byte_array(object, depth);
    case ObjectKind::tuple: return save_tuple(object, depth);
    case ObjectKind::list:
        put(Opcode::empty_list);
        memoize(object);
        return save_items(node_as<ListNode>(object).value, depth);
    case ObjectKind::global: {
        auto const& parts = node_as<GlobalNode>(object).value;
        return save_class(chars_of(parts.module), chars_of(parts.name));
    }
    case ObjectKind::instance: return save_instance(object, depth);
    default: return save_table(object, depth);
    }
}

inline void PythonWriter::save_complex(Object const& object, int) {
    auto const& parts = node_as<ComplexNode>(object).value;
    save_global("builtins", "complex");
    save_real(parts.real);
    save_real(parts.imag);
    put(Opcode::tuple2);
    memoize_anonymous();
    put(Opcode::reduce);
    memoize(object);
}

inline void PythonWriter::save_byte_array(Object const& object, int) {
    auto const bytes = chars_of(object);
    if (protocol_ >= 5) {
        out_.put_payload(Opcode::bytearray8, bytes);
    } else {
        save_global("builtins", "bytearray");
        if (bytes.empty()) {
            put(Opcode::empty_tuple);
        } else {
            put_bytes(bytes);
            memoize_anonymous();
            put(Opcode::tuple1);
            memoize_anonymous();
        }
        put(Opcode::reduce);
    }
    memoize(object);
}

inline void PythonWriter::save_tuple(Object const& object, int depth) {
    auto const items = node_as<TupleNode>(object).items();
    bool const marked = items.size() > 3;
    bool const open = returns(object);
    if (marked) put(Opcode::mark);
    twice_ += open;
    for (auto const& item : items) save(item, depth);
    twice_ -= open;
    // It may have been written meanwhile, by a list in it that holds it. Then that one counts.
    if (open && memo_.contains(ObjectAccess::node(object))) {
        if (marked) put(Opcode::pop_mark);
        else
            for (std::size_t i = 0; i < items.size(); ++i) put(Opcode::pop);
        get(object);
        return;
    }
    put(marked ? Opcode::tuple
               : static_cast<Opcode>(static_cast<std::size_t>(Opcode::tuple1) + items.size() - 1));
    memoize(object);
}

inline void PythonWriter::save_items(std::span<Object const> items, int depth) {
    if (items.size() == 1) {
        save(items[0], depth);
        return put(Opcode::append);
    }
    for (; !items.empty(); items = items.subspan(std::min(batch, items.size()))) {
        put(Opcode::mark);
        for (auto const& item : items.first(std::min(batch, items.size()))) save(item, depth);
        put(Opcode::appends);
    }
}

// A full last batch is followed by an empty one, as the C pickler has it.
inline void PythonWriter::save_pairs(std::size_t count, auto next, int depth) {
    auto const save_next = [&] {
        auto const [key, value] = next();
        save(*key, depth);
        save(*value, depth);
    };
    if (count == 0) return;
    if (count == 1) {
        save_next();
        return put(Opcode::setitem);
    }
    for (;; count -= batch) {
        auto const now = std::min(batch, count);
        put(Opcode::mark);
        for (std::size_t i = 0; i < now; ++i) save_next();
        put(Opcode::setitems);
        if (now < batch) return;
    }
}

inline void PythonWriter::save_table(Object const& object, int depth) {
    auto const& table = node_as<TableNode>(object).value;
    auto const entries = table.entries();
    if (object.kind() == ObjectKind::dict) {
        put(Opcode::empty_dict);
        memoize(object);
        auto at = entries.begin();
        auto const next = [&] {
            while (at->removed()) ++at;
            auto const& entry = *at++;
            return std::pair(&entry.key, &entry.value);
        };
        return save_pairs(table.size(), next, depth);
    }
    if (object.kind() == ObjectKind::frozen_set) return save_frozen_set(object, depth);
    put(Opcode::empty_set);
    memoize(object);
    if (table.size() == 0) return;
    auto left = entries;
    std::size_t written = batch;
    while (written == batch) {  // a full last batch is followed by an empty one
        put(Opcode::mark);
        for (written = 0; written < batch && !left.empty(); left = left.subspan(1)) {
            if (left[0].removed()) continue;
            save(left[0].key, depth);
            ++written;
        }
        put(Opcode::additems);
    }
}

inline void PythonWriter::save_frozen_set(Object const& object, int depth) {
    bool const open = returns(object);
    put(Opcode::mark);
    twice_ += open;
    for (auto const& entry : node_as<TableNode>(object).value.entries())
        if (!entry.removed()) save(entry.key, depth);
    twice_ -= open;
    put(Opcode::frozenset);
    memoize(object);
}

inline void PythonWriter::save_instance(Object const& object, int depth) {
    // Classes that Python makes without calling them.
    static constexpr GlobalName bare[] = {{"multiprocessing.managers", "Namespace"},
                                          {"multiprocessing.managers", "Token"},
                                          {"multiprocessing.managers", "Value"},
                                          {"uuid", "UUID"}};
    auto const& parts = node_as<InstanceNode>(object).value;
    auto const& global = node_as<GlobalNode>(parts.global).value;
    GlobalName const name{chars_of(global.module), chars_of(global.name)};
    bool const made = std::find(std::begin(bare), std::end(bare), name) != std::end(bare);
    save_global(name.module, name.name);
    bool const open = returns(object);
    twice_ += open;
    save(parts.arguments, depth);
    twice_ -= open;
    put(made ? Opcode::newobj : Opcode::reduce);
    memoize(object);
    save_items(parts.items, depth);
    auto at = parts.pairs.begin();
    auto const next = [&] {
        auto const* const key = &*at++;
        return std::pair(key, &*at++);
    };
    save_pairs(parts.pairs.size() / 2, next, depth);
    if (!parts.has_state) return;
    save(parts.state, depth);
    put(Opcode::build);
}

// NoneType is no name of the module builtins: it travels as type(None).
inline void PythonWriter::save_class(std::string_view module, std::string_view name) {
    if (module != "builtins" || name != "NoneType") return save_global(module, name);
    save_global("builtins", "type");
    put(Opcode::none);
    put(Opcode::tuple1);
    memoize_anonymous();
    put(Opcode::reduce);
    memoize_anonymous();
}

inline void PythonWriter::save_global(std::string_view module, std::string_view name) {
    auto key = std::string(module) + '\n' + std::string(name);
    if (get_name(key)) return;
    save_name(module);
    save_name(name);
    put(Opcode::stack_global);
    names_.emplace(std::move(key), count_);
    memoize_anonymous();
}

inline void PythonWriter::save_name(std::string_view name) {
    std::string key(name);
    if (get_name(key)) return;
    put_text(name);
    names_.emplace(std::move(key), count_);
    memoize_anonymous();
}

}  // namespace multiprocessing::detail
