// SPDX-License-Identifier: MIT
// multiprocessing/pickle.hpp — writes values so that another process can read them.
// Layer 3 (pickling). Mirrors Lib/pickle.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/aggregate.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/diagnose.hpp>
#include <multiprocessing/pickle/pickled.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/schema.hpp>
#include <multiprocessing/pickle/std/arithmetic.hpp>
#include <multiprocessing/pickle/std/array.hpp>
#include <multiprocessing/pickle/std/bitset.hpp>
#include <multiprocessing/pickle/std/chrono.hpp>
#include <multiprocessing/pickle/std/complex.hpp>
#include <multiprocessing/pickle/std/list.hpp>
#include <multiprocessing/pickle/std/map.hpp>
#include <multiprocessing/pickle/std/memory.hpp>
#include <multiprocessing/pickle/std/optional.hpp>
#include <multiprocessing/pickle/std/path.hpp>
#include <multiprocessing/pickle/std/set.hpp>
#include <multiprocessing/pickle/std/string.hpp>
#include <multiprocessing/pickle/std/tuple.hpp>
#include <multiprocessing/pickle/std/variant.hpp>
#include <multiprocessing/pickle/std/vector.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace multiprocessing {

/// Appends a value and, in front of it, the 8 bytes that say what it is.
/// Errors: `PicklingError` if something inside cannot be written.
template <class T>
void dump_into(Writer& writer, T const& value) {
    if constexpr (Picklable<T>) {
        constexpr std::uint64_t schema = schema_hash<T>;
        writer.raw(&schema, sizeof schema);
        detail::put(writer, value);
    } else {
        detail::diagnose<T>();
    }
}

/// Reads what `dump_into` appended. More may follow.
/// Errors: `UnpicklingError` if it is no T or is damaged.
template <class T>
[[nodiscard]] std::remove_cv_t<T> load_from(Reader& reader) {
    if constexpr (Picklable<T>) {
        std::uint64_t schema = 0;
        reader.raw(&schema, sizeof schema);
        if (schema != schema_hash<T>) {
            reader.fail("this is not a pickled " + std::string(detail::type_name<T>()));
        }
        return detail::get<std::remove_cv_t<T>>(reader);
    } else {
        detail::diagnose<T>();
        reader.fail("no such type");
    }
}

/// The value as bytes, for a file or another machine's process that runs the same program.
/// Errors: `PicklingError` if it holds a handle of a shared object.
/// Python: `pickle.dumps(obj)`.
/// Differs: the bytes are not Python's; for those use `Object`.
template <class T>
[[nodiscard]] Pickled dumps(T const& value) {
    Writer writer;
    dump_into(writer, value);
    return writer.take();
}

/// The value back. The bytes may come from anywhere: whatever they are, the result is a T or an
/// `UnpicklingError`, and no more memory is taken than their length warrants.
/// Python: `pickle.loads(data)`.
/// Differs: the type is named, and no function or class is ever looked up for bytes from outside.
template <class T>
[[nodiscard]] std::remove_cv_t<T> loads(std::span<std::byte const> bytes,
                                        Origin origin = Origin::outside) {
    Reader reader(bytes, origin);
    auto value = load_from<T>(reader);
    reader.expect_end();
    return value;
}

}  // namespace multiprocessing
