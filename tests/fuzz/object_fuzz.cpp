// SPDX-License-Identifier: MIT
// tests/fuzz/object_fuzz.cpp — reads any bytes as an Object, from Python's pickle and our own.
#include "fuzz/object_fuzz.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::read_object({reinterpret_cast<std::byte const*>(data), size});
    return 0;
}
