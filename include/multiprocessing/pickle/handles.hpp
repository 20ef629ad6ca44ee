// SPDX-License-Identifier: MIT
// multiprocessing/pickle/handles.hpp — how shared objects travel beside a message's bytes.
// Layer 3 (pickling). Mirrors the courier in Lib/multiprocessing/reduction.py.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>

#include <cstdint>

namespace multiprocessing {

/// Takes the shared objects that a message names; a message of the shared heap keeps them alive.
struct HandleSink {
    /// Notes the object and gives its place in the message. The same object may get the same place.
    virtual std::uint32_t add(heap::Shared const& object) = 0;

protected:
    ~HandleSink() = default;
};

/// Gives back the shared objects that a message carries.
struct HandleSource {
    /// How many objects the message carries.
    [[nodiscard]] virtual std::uint32_t count() const = 0;

    /// Puts the object at a place below `count()` into `object`.
    /// Errors: `UnpicklingError` if it has been freed or belongs to another process tree.
    virtual void get(std::uint32_t place, heap::Shared& object) = 0;

protected:
    ~HandleSource() = default;
};

}  // namespace multiprocessing
