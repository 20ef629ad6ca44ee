// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle.hpp — Objects to and from the bytes of CPython's pickle.
// Layer 3 (object). Mirrors Lib/pickle.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/bytes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/python_pickle/frames.hpp>
#include <multiprocessing/object/python_pickle/memo.hpp>
#include <multiprocessing/object/python_pickle/opcode.hpp>
#include <multiprocessing/object/python_pickle/operands.hpp>
#include <multiprocessing/object/python_pickle/reader.hpp>
#include <multiprocessing/object/python_pickle/rebuild.hpp>
#include <multiprocessing/object/python_pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace multiprocessing {

/// Python: the keyword arguments of `pickle.dumps`.
struct PythonDumpOptions {
    int protocol = 4;  // or 5; every Python since 3.8 reads both
};

/// The value as CPython 3.8 to 3.14 would pickle it, byte for byte if it is plain data.
/// Errors: PicklingError beyond 1000 levels and for a str that is no UTF-8; ValueError for another
///     protocol.
/// Python: `pickle.dumps(obj, protocol)`.
[[nodiscard]] inline Bytes python_dumps(Object const& object, PythonDumpOptions options = {}) {
    if (options.protocol != 4 && options.protocol != 5)
        throw ValueError("pickle protocol must be 4 or 5, not " + std::to_string(options.protocol));
    detail::PythonWriter writer(static_cast<std::uint8_t>(options.protocol));
    return Bytes(std::move(writer).dump(object));
}

/// What CPython pickled, in any protocol. Nothing is looked up, imported or called, whatever the
/// bytes say: classes outside a fixed list are refused, the others become an Instance. Nesting has
/// no limit; memory stays within a fixed factor of the bytes.
/// Errors: UnpicklingError.
/// Python: `pickle.loads(data)`.
/// Differs: a value that holds itself is the caller's to free: break_rings().
[[nodiscard]] inline Object python_loads(std::string_view bytes, PythonLoadOptions options = {}) {
    try {
        return detail::PythonReader(bytes, options).load();
    } catch (TypeError const& error) {  // a key that has no hash
        throw UnpicklingError(error.what());
    } catch (RuntimeError const& error) {  // a key that is nested too deeply
        throw UnpicklingError(error.what());
    }
}
[[nodiscard]] inline Object python_loads(std::span<std::byte const> bytes,
                                         PythonLoadOptions options = {}) {
    return python_loads(
        std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size()), options);
}
[[nodiscard]] inline Object python_loads(Bytes const& bytes, PythonLoadOptions options = {}) {
    return python_loads(bytes.view(), options);
}

}  // namespace multiprocessing
