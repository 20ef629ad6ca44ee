// SPDX-License-Identifier: MIT
// tests/compile/callable_argument_reference.cpp — a target that would change its parent's variable.
// reject: they are passed as rvalues of their decayed types
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

namespace mp = multiprocessing;

#ifdef REJECT
void increment(int& x) { ++x; }
#else
void increment(int const& x) { static_cast<void>(x); }
#endif

int main() {
    mp::Writer out;
    int x = 1;
    mp::reduction::dump_target(out, increment, x);
}
