// SPDX-License-Identifier: MIT
// multiprocessing/pickle/fwd.hpp — the names a type needs to say how it is pickled, and no more.
// Layer 0 (base). Mirrors Lib/pickle.py.
#pragma once

#include <cstdint>

namespace multiprocessing {

namespace heap {
class Shared;
}

/// How a T is written and read back: `static void dump(Writer&, T const&)` and
/// `static T load(Reader&)`.
/// Every way to change it is listed in pickle/traits.hpp.
template <class T>
struct pickle;

class Writer;
class Reader;

/// Where the bytes under a Reader come from. Only the own process tree may name functions of this
/// program and objects of the shared heap; bytes from outside may not, whatever they claim.
enum class Origin : std::uint8_t { tree, outside };

}  // namespace multiprocessing
