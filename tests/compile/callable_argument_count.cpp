// SPDX-License-Identifier: MIT
// tests/compile/callable_argument_count.cpp — a task with an argument too few.
// reject: the target cannot be called with these arguments: compare their number and types
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

namespace mp = multiprocessing;

int add(int a, int b) { return a + b; }

int main() {
    mp::Writer out;
#ifdef REJECT
    mp::reduction::dump_task(out, add, 1);
#else
    mp::reduction::dump_task(out, add, 1, 2);
#endif
}
