// SPDX-License-Identifier: MIT
// tests/compile/pickle_union.cpp — a union in a struct.
// reject: a union does not tell which member it holds: use std::variant
#include <multiprocessing/pickle.hpp>

#include <variant>

union Either {
    int number;
    float ratio;
};

struct Cell {
#ifdef REJECT
    Either value{};
#else
    std::variant<int, float> value;
#endif
};

int main() { return multiprocessing::dumps(Cell()).size() != 0 ? 0 : 1; }
