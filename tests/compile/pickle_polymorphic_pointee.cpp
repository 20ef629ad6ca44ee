// SPDX-License-Identifier: MIT
// tests/compile/pickle_polymorphic_pointee.cpp — a pointer to a base class.
// reject: a pointer to a polymorphic class would be cut down to its base
#include <multiprocessing/pickle.hpp>

#include <memory>

struct Shape {
#ifdef REJECT
    virtual ~Shape() = default;
#endif
};

int main() { return multiprocessing::dumps(std::make_shared<Shape>()).size() != 0 ? 0 : 1; }
