// SPDX-License-Identifier: MIT
// tests/support/stepper_symbols.hpp — names for addresses: which function, which line, who called.
#pragma once

#include <cstdint>
#include <string>

namespace test::stepper {

/// "function+0x1f (module)", or the bare address where nothing is known. Static functions are found
/// too.
std::string symbol_of(std::uint64_t address);

/// "file.hpp:12 < caller.hpp:34", inlined calls outwards, by addr2line. Empty without it, without
/// -g, and once three seconds have gone into it.
std::string line_of(std::uint64_t address);

/// Whether the address lies in the program itself, not in a library.
bool in_program(std::uint64_t address);

/// Where a process is and, guessed from return addresses on its stack, how it came there.
std::string whereabouts(std::int64_t pid);

}  // namespace test::stepper
