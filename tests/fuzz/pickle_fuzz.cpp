// SPDX-License-Identifier: MIT
// tests/fuzz/pickle_fuzz.cpp — reads any bytes as a value of one of many types.
//
// The low 7 bits of the first byte choose the type; with the high bit the right schema is put in
// front of the rest, so that the fuzzer need not find 8 bytes of hash. Build and run by hand:
//   clang++-19 -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -Iinclude -Itests
//       tests/fuzz/pickle_fuzz.cpp -lfmt -o pickle_fuzz
//   mkdir corpus && ./pickle_fuzz -runs=2000000 -max_len=512 corpus tests/fuzz/seeds
#include "fuzz/pickle_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::read_any({reinterpret_cast<std::byte const*>(data), size});
    return 0;
}
