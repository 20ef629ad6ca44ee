// SPDX-License-Identifier: MIT
// tests/compile/process_argument_count.cpp — a Process with an argument too few.
// reject: the target cannot be called with these arguments: compare their number and types
#include <multiprocessing/process.hpp>

#include <string>

namespace mp = multiprocessing;

void greet(std::string, int) {}

int main() {
#ifdef REJECT
    mp::Process p(greet, "bob");
#else
    mp::Process p(greet, "bob", 1);
#endif
}
