// SPDX-License-Identifier: MIT
// tests/compile/callable_map_element.cpp — a function mapped over elements that it does not take.
// reject: the function cannot be called with an element
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

#include <string>

namespace mp = multiprocessing;

int size(std::string const& s) { return static_cast<int>(s.size()); }

int main() {
    mp::Writer out;
#ifdef REJECT
    mp::reduction::dump_map<int>(out, size);
#else
    mp::reduction::dump_map<std::string>(out, size);
#endif
}
