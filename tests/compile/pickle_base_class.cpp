// SPDX-License-Identifier: MIT
// tests/compile/pickle_base_class.cpp — an aggregate that is derived from another one.
// reject: an aggregate with a base class cannot be pickled member by member
#include <multiprocessing/pickle.hpp>

struct Base {
    int a = 0;
};

#ifdef REJECT
struct Derived : Base {
    int b = 0;
};
#else
struct Derived {
    Base base;
    int b = 0;
};
#endif

int main() { return multiprocessing::dumps(Derived()).size() != 0 ? 0 : 1; }
