// SPDX-License-Identifier: MIT
// tests/compile/process_options_argument_type.cpp — a Process with options and a wrong argument.
// reject: the target cannot be called with these arguments: compare their number and types
#include <multiprocessing/process.hpp>

#include <string>

namespace mp = multiprocessing;

void greet(std::string) {}

int main() {
#ifdef REJECT
    mp::Process p({.name = "greeter"}, greet, 5.5f);
#else
    mp::Process p({.name = "greeter"}, greet, "bob");
#endif
}
