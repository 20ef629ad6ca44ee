// SPDX-License-Identifier: MIT
// multiprocessing/object/globals.hpp — the Python classes and functions that a pickle may name.
// Layer 3 (object). Mirrors Unpickler.find_class of Lib/pickle.py.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace multiprocessing::detail {

struct GlobalName {
    std::string_view module;
    std::string_view name;

    constexpr bool operator==(GlobalName const&) const = default;
    constexpr bool operator<(GlobalName const& other) const {
        return module != other.module ? module < other.module : name < other.name;
    }
};

/// Each list is sorted, to be searched by halves.
inline constexpr GlobalName exception_globals[] = {
    {"_queue", "Empty"},
    {"builtins", "ArithmeticError"},
    {"builtins", "AssertionError"},
    {"builtins", "AttributeError"},
    {"builtins", "BaseException"},
    {"builtins", "BaseExceptionGroup"},
    {"builtins", "BlockingIOError"},
    {"builtins", "BrokenPipeError"},
    {"builtins", "BufferError"},
    {"builtins", "BytesWarning"},
    {"builtins", "ChildProcessError"},
    {"builtins", "ConnectionAbortedError"},
    {"builtins", "ConnectionError"},
    {"builtins", "ConnectionRefusedError"},
    {"builtins", "ConnectionResetError"},
    {"builtins", "DeprecationWarning"},
    {"builtins", "EOFError"},
    {"builtins", "EncodingWarning"},
    {"builtins", "Exception"},
    {"builtins", "ExceptionGroup"},
    {"builtins", "FileExistsError"},
    {"builtins", "FileNotFoundError"},
    {"builtins", "FloatingPointError"},
    {"builtins", "FutureWarning"},
    {"builtins", "GeneratorExit"},
    {"builtins", "ImportError"},
    {"builtins", "ImportWarning"},
    {"builtins", "IndentationError"},
    {"builtins", "IndexError"},
    {"builtins", "InterruptedError"},
    {"builtins", "IsADirectoryError"},
    {"builtins", "KeyError"},
    {"builtins", "KeyboardInterrupt"},
    {"builtins", "LookupError"},
    {"builtins", "MemoryError"},
    {"builtins", "ModuleNotFoundError"},
    {"builtins", "NameError"},
    {"builtins", "NotADirectoryError"},
    {"builtins", "NotImplementedError"},
    {"builtins", "OSError"},
    {"builtins", "OverflowError"},
    {"builtins", "PendingDeprecationWarning"},
    {"builtins", "PermissionError"},
    {"builtins", "ProcessLookupError"},
    {"builtins", "RecursionError"},
    {"builtins", "ReferenceError"},
    {"builtins", "ResourceWarning"},
    {"builtins", "RuntimeError"},
    {"builtins", "RuntimeWarning"},
    {"builtins", "StopAsyncIteration"},
    {"builtins", "StopIteration"},
    {"builtins", "SyntaxError"},
    {"builtins", "SyntaxWarning"},
    {"builtins", "SystemError"},
    {"builtins", "SystemExit"},
    {"builtins", "TabError"},
    {"builtins", "TimeoutError"},
    {"builtins", "TypeError"},
    {"builtins", "UnboundLocalError"},
    {"builtins", "UnicodeDecodeError"},
    {"builtins", "UnicodeEncodeError"},
    {"builtins", "UnicodeError"},
    {"builtins", "UnicodeTranslateError"},
    {"builtins", "UnicodeWarning"},
    {"builtins", "UserWarning"},
    {"builtins", "ValueError"},
    {"builtins", "Warning"},
    {"builtins", "ZeroDivisionError"},
    {"multiprocessing.context", "AuthenticationError"},
    {"multiprocessing.context", "BufferTooShort"},
    {"multiprocessing.context", "ProcessError"},
    {"multiprocessing.context", "TimeoutError"},
    {"multiprocessing.managers", "RemoteError"},
    {"queue", "Empty"},
    {"queue", "Full"},
    {"queue", "ShutDown"},
    {"socket", "timeout"},
    {"threading", "BrokenBarrierError"},
};

inline constexpr GlobalName plain_globals[] = {
    {"_codecs", "encode"},
    {"array", "_array_reconstructor"},
    {"array", "array"},
    {"builtins", "Ellipsis"},
    {"builtins", "NotImplemented"},
    {"builtins", "bool"},
    {"builtins", "bytearray"},
    {"builtins", "bytes"},
    {"builtins", "complex"},
    {"builtins", "dict"},
    {"builtins", "float"},
    {"builtins", "frozenset"},
    {"builtins", "int"},
    {"builtins", "iter"},
    {"builtins", "list"},
    {"builtins", "object"},
    {"builtins", "range"},
    {"builtins", "reversed"},
    {"builtins", "set"},
    {"builtins", "slice"},
    {"builtins", "str"},
    {"builtins", "tuple"},
    {"builtins", "type"},
    {"collections", "Counter"},
    {"collections", "OrderedDict"},
    {"collections", "defaultdict"},
    {"collections", "deque"},
    {"copyreg", "_reconstructor"},
    {"datetime", "date"},
    {"datetime", "datetime"},
    {"datetime", "time"},
    {"datetime", "timedelta"},
    {"datetime", "timezone"},
    {"decimal", "Decimal"},
    {"fractions", "Fraction"},
    {"multiprocessing.managers", "AcquirerProxy"},
    {"multiprocessing.managers", "ArrayProxy"},
    {"multiprocessing.managers", "AutoProxy"},
    {"multiprocessing.managers", "BarrierProxy"},
    {"multiprocessing.managers", "ConditionProxy"},
    {"multiprocessing.managers", "DictProxy"},
    {"multiprocessing.managers", "EventProxy"},
    {"multiprocessing.managers", "IteratorProxy"},
    {"multiprocessing.managers", "ListProxy"},
    {"multiprocessing.managers", "Namespace"},
    {"multiprocessing.managers", "NamespaceProxy"},
    {"multiprocessing.managers", "PoolProxy"},
    {"multiprocessing.managers", "RebuildProxy"},
    {"multiprocessing.managers", "SetProxy"},
    {"multiprocessing.managers", "Token"},
    {"multiprocessing.managers", "Value"},
    {"multiprocessing.managers", "ValueProxy"},
    {"pathlib", "PosixPath"},
    {"pathlib", "PurePosixPath"},
    {"pathlib._local", "PosixPath"},
    {"pathlib._local", "PurePosixPath"},
    {"types", "SimpleNamespace"},
    {"uuid", "UUID"},
};
static_assert(std::is_sorted(std::begin(exception_globals), std::end(exception_globals)));
static_assert(std::is_sorted(std::begin(plain_globals), std::end(plain_globals)));

inline bool is_exception(GlobalName const& name) {
    return std::binary_search(std::begin(exception_globals), std::end(exception_globals), name);
}

/// Whether a reader lets the name through.
inline bool is_known_global(GlobalName const& name) {
    return is_exception(name) ||
           std::binary_search(std::begin(plain_globals), std::end(plain_globals), name);
}

}  // namespace multiprocessing::detail
