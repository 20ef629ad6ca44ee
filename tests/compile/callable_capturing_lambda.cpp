// SPDX-License-Identifier: MIT
// tests/compile/callable_capturing_lambda.cpp — a task whose lambda captures a value.
// reject: a lambda that captures cannot be pickled: bind values with mp::partial
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

namespace mp = multiprocessing;

int main() {
    mp::Writer out;
    int n = 3;
#ifdef REJECT
    auto const add = [n](int x) { return n + x; };
#else
    auto const add = mp::partial([](int m, int x) { return m + x; }, n);
#endif
    mp::reduction::dump_task(out, add, 4);
}
