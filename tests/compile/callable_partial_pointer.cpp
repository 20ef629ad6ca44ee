// SPDX-License-Identifier: MIT
// tests/compile/callable_partial_pointer.cpp — a partial that binds the address of a variable.
// reject: a raw pointer cannot cross a process boundary
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

namespace mp = multiprocessing;

int main() {
    mp::Writer out;
    int x = 1;
#ifdef REJECT
    mp::reduction::dump_task(out, mp::partial([](int* p) { return *p; }, &x));
#else
    mp::reduction::dump_task(out, mp::partial([](int v) { return v; }, x));
#endif
}
