// SPDX-License-Identifier: MIT
// tests/compile/callable_result.cpp — a task that gives back a pointer.
// reject: a raw pointer cannot cross a process boundary
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

namespace mp = multiprocessing;

#ifdef REJECT
int* find(int) { return nullptr; }
#else
int find(int) { return 0; }
#endif

int main() {
    mp::Writer out;
    mp::reduction::dump_task(out, find, 1);
}
