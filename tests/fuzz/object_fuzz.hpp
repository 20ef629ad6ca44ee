// SPDX-License-Identifier: MIT
// tests/fuzz/object_fuzz.hpp — one input of the fuzzer of Objects.
#pragma once

#include <multiprocessing/object.hpp>
#include <multiprocessing/object/python_pickle.hpp>

#include "pickle/samples.hpp"

#include <cstddef>
#include <cstdlib>
#include <span>
#include <vector>

namespace fuzz {

namespace mp = multiprocessing;

/// The value is shown, hashed, compared and written; what is written must be read again, and
/// written then, be the same bytes.
inline void use_object(mp::Object const& object) {
    try {
        static_cast<void>(object.repr());
        static_cast<void>(object.str());
    } catch (mp::RuntimeError const&) {  // nested too deeply
    } catch (mp::ValueError const&) {    // an int of too many digits
    }
    try {
        static_cast<void>(object.hash());
    } catch (mp::RuntimeError const&) {
    } catch (mp::TypeError const&) {
    }
    try {
        static_cast<void>(object == object);
        static_cast<void>(object <=> object);
    } catch (mp::RuntimeError const&) {
    } catch (mp::TypeError const&) {
    }
    try {
        // What somebody else names, too, is written as if it might come again; a copy is not.
        auto const copy = mp::loads<mp::Object>(mp::dumps(object));
        auto const pickled = mp::dumps(copy);
        auto const again = mp::loads<mp::Object>(pickled);
        if (mp::dumps(again) != pickled) std::abort();
        mp::break_rings(copy);
        mp::break_rings(again);
    } catch (mp::PicklingError const&) {
    }
    try {
        auto const pickled = mp::python_dumps(object);
        auto const again = mp::python_loads(pickled, {.unknown_globals = true});
        mp::break_rings(again);
    } catch (mp::PicklingError const&) {
    } catch (mp::UnpicklingError const&) {  // as an instance of a class that takes no arguments
    }
}

/// An odd first byte: the rest is a pickle of Python's; an even one: of the tree's own.
inline void read_object(std::span<std::byte const> input) {
    if (input.empty()) return;
    bool const python = (std::to_integer<int>(input[0]) & 1) != 0;
    std::vector<std::byte> bytes;
    if (!python) {
        mp::Writer schema;
        schema.write(mp::schema_hash<mp::Object>);
        bytes.assign(schema.bytes().begin(), schema.bytes().end());
    }
    bytes.insert(bytes.end(), input.begin() + 1, input.end());
    auto const exact = samples::exact_copy(bytes);
    std::span<std::byte const> const all(exact.get(), bytes.size());
    try {
        // What follows the value is not looked at: a value that holds itself is ours to free then.
        mp::Reader reader(all);
        auto const object = python ? mp::python_loads(all, {.unknown_globals = true})
                                   : mp::load_from<mp::Object>(reader);
        use_object(object);
        mp::break_rings(object);
    } catch (mp::UnpicklingError const&) {
        // Everything else that is thrown is a finding, and so is what leaks.
    }
}

}  // namespace fuzz
