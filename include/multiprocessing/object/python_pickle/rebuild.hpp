// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/rebuild.hpp — what a class in a pickle makes of arguments.
// Layer 3 (object). Mirrors Unpickler.load_reduce and find_class of Lib/pickle.py.
//
// Nothing is looked up or called: a few names of Python's own make plain values, the other known
// ones an Instance that says what it would be made of.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/convert.hpp>
#include <multiprocessing/object/global.hpp>
#include <multiprocessing/object/globals.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/printable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::detail {

/// The name that Python 3 has for what protocols 0 to 2 write.
inline GlobalName modern_name(GlobalName const& old) {
    struct Renamed {
        GlobalName old;
        GlobalName name;
    };
    static constexpr Renamed names[] = {
        {{"__builtin__", "xrange"}, {"builtins", "range"}},
        {{"__builtin__", "long"}, {"builtins", "int"}},
        {{"__builtin__", "unicode"}, {"builtins", "str"}},
        {{"exceptions", "StandardError"}, {"builtins", "Exception"}},
        {{"exceptions", "IOError"}, {"builtins", "OSError"}},
        {{"exceptions", "EnvironmentError"}, {"builtins", "OSError"}},
        {{"multiprocessing", "ProcessError"}, {"multiprocessing.context", "ProcessError"}},
        {{"multiprocessing", "BufferTooShort"}, {"multiprocessing.context", "BufferTooShort"}},
        {{"multiprocessing", "TimeoutError"}, {"multiprocessing.context", "TimeoutError"}},
        {{"multiprocessing", "AuthenticationError"},
         {"multiprocessing.context", "AuthenticationError"}},
    };
    for (auto const& renamed : names)
        if (renamed.old == old) return renamed.name;
    static constexpr std::pair<std::string_view, std::string_view> modules[] = {
        {"__builtin__", "builtins"},
        {"exceptions", "builtins"},
        {"copy_reg", "copyreg"},
        {"Queue", "queue"},
    };
    for (auto const& [module, name] : modules)
        if (module == old.module) return {name, old.name};
    return old;
}

/// The class that Python picks for OSError(errno, ...); Linux's numbers, since those are sent.
inline std::string_view os_error_name(std::int64_t number) {
    struct Known {
        std::int64_t number;
        std::string_view name;
    };
    static constexpr Known known[] = {
        {1, "PermissionError"},        {2, "FileNotFoundError"},
        {3, "ProcessLookupError"},     {4, "InterruptedError"},
        {10, "ChildProcessError"},     {11, "BlockingIOError"},
        {13, "PermissionError"},       {17, "FileExistsError"},
        {20, "NotADirectoryError"},    {21, "IsADirectoryError"},
        {32, "BrokenPipeError"},       {103, "ConnectionAbortedError"},
        {104, "ConnectionResetError"}, {108, "BrokenPipeError"},
        {110, "TimeoutError"},         {111, "ConnectionRefusedError"},
        {114, "BlockingIOError"},      {115, "BlockingIOError"},
    };
    for (auto const& error : known)
        if (error.number == number) return error.name;
    return {};
}

/// Makes values of globals and arguments, for one pickle.
class PickleRebuilder {
public:
    /// So many bytes or items may be copied from one value to another in all. What Python writes
    /// copies nothing more than twice: text to bytes to a bytearray.
    explicit PickleRebuilder(std::size_t copies) noexcept : copies_(copies) {}

    /// Errors: UnpicklingError.
    Object call(Object const& callable, Object const& arguments);

private:
    Object call_builtin(std::string_view name, Object const& callable, Object const& arguments);
    Object instance(Object const& global, Object const& arguments);
    Object encode(std::span<Object const> arguments);
    Object table(ObjectKind kind, std::span<Object const> items);

    void charge(std::size_t size) {
        if (size > copies_) throw UnpicklingError("the pickle copies more than it holds");
        copies_ -= size;
    }
    [[noreturn]] static void refuse(std::string_view name) {
        throw UnpicklingError(fmt::format("a call of {} with other arguments than Python's", name));
    }

    std::size_t copies_;
};

inline Object PickleRebuilder::call(Object const& callable, Object const& arguments) {
    if (callable.kind() != ObjectKind::global)
        throw UnpicklingError(fmt::format("a call of a value of type {}", callable.type_name()));
    if (arguments.kind() != ObjectKind::tuple)
        throw UnpicklingError("the arguments of a call are no tuple");
    auto const& name = node_as<GlobalNode>(callable).value;
    auto const module = chars_of(name.module);
    auto const items = node_as<TupleNode>(arguments).items();
    if (module == "builtins") return call_builtin(chars_of(name.name), callable, arguments);
    if (module == "_codecs") return encode(items);
    if (module == "copyreg") {
        // How protocols 0 and 1 make an object of a class without arguments.
        auto const is_plain = [&] {
            if (items.size() != 3 || items[0].kind() != ObjectKind::global) return false;
            return items[1] == Object(Global("builtins", "object")) && items[2].is_none();
        };
        if (!is_plain()) refuse("copyreg._reconstructor");
        return call(items[0], Tuple());
    }
    return instance(callable, arguments);
}

inline Object PickleRebuilder::call_builtin(std::string_view name, Object const& callable,
                                            Object const& arguments) {
    auto const items = node_as<TupleNode>(arguments).items();
    auto const n = items.size();
    if (name == "set" || name == "frozenset" || name == "list" || name == "tuple") {
        if (n > 1 || (n == 1 && !items[0].is<List>() && !items[0].is<Tuple>())) refuse(name);
        auto const from = n == 1 ? items_of(items[0]) : std::span<Object const>();
        charge(from.size());
        if (name == "list") return List(from);
        if (name == "tuple") return Tuple(from);
        return table(name == "set" ? ObjectKind::set : ObjectKind::frozen_set, from);
    }
    if (name == "bytearray" || name == "bytes") {
        bool const array = name == "bytearray";
        if (n == 0) return array ? Object(ByteArray()) : Object(Bytes());
        if (!array || n != 1 || items[0].kind() != ObjectKind::bytes) refuse(name);
        charge(chars_of(items[0]).size());
        return ByteArray(items[0].to<Bytes>());
    }
    if (name == "complex") {
        auto const is_part = [](Object const& x) {
            return x.kind() == ObjectKind::real || x.kind() == ObjectKind::integer;
        };
        if (n != 2 || !is_part(items[0]) || !is_part(items[1])) refuse(name);
        return ObjectAccess::complex(items[0].to<double>(), items[1].to<double>());
    }
    if (name == "type" && n == 1 && items[0].is_none()) return Global("builtins", "NoneType");
    if (name == "object" && n == 0) return instance(callable, arguments);
    static constexpr std::string_view never[] = {"Ellipsis", "NotImplemented", "bool",  "dict",
                                                 "float",    "int",            "object", "str",
                                                 "type"};
    if (std::find(std::begin(never), std::end(never), name) != std::end(never)) refuse(name);
    return instance(callable, arguments);
}

inline Object PickleRebuilder::instance(Object const& global, Object const& arguments) {
    auto const items = node_as<TupleNode>(arguments).items();
    if (items.size() >= 2 && items.size() <= 5 && items[0].kind() == ObjectKind::integer) {
        auto const& name = node_as<GlobalNode>(global).value;
        auto const special = os_error_name(ObjectAccess::integer(items[0]));
        if (!special.empty() && chars_of(name.name) == "OSError" &&
            chars_of(name.module) == "builtins")
            return Instance(Global("builtins", special), Tuple::of(arguments));
    }
    return Instance(Global::of(global), Tuple::of(arguments));
}

// How protocols 0 to 2 write bytes: as text whose characters are the bytes.
inline Object PickleRebuilder::encode(std::span<Object const> arguments) {
    static constexpr std::string_view names[] = {"latin1", "latin-1", "iso-8859-1"};
    if (arguments.size() != 2 || arguments[0].kind() != ObjectKind::text ||
        arguments[1].kind() != ObjectKind::text ||
        std::find(std::begin(names), std::end(names), chars_of(arguments[1])) == std::end(names))
        refuse("_codecs.encode");
    auto text = chars_of(arguments[0]);
    std::string bytes;
    while (!text.empty()) {
        auto const next = first_code_point(text);
        if (!next || next->value > 0xff) throw UnpicklingError("text that is not Latin-1");
        bytes += static_cast<char>(next->value);
        text.remove_prefix(next->size);
    }
    charge(bytes.size());
    return ObjectAccess::bytes(bytes);
}

inline Object PickleRebuilder::table(ObjectKind kind, std::span<Object const> items) {
    auto made = ObjectAccess::make<TableNode>(kind);
    for (auto const& item : items) node_as<TableNode>(made).value.insert(item);
    return made;
}

}  // namespace multiprocessing::detail
