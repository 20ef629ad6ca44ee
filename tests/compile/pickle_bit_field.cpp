// SPDX-License-Identifier: MIT
// tests/compile/pickle_bit_field.cpp — bit-fields, which no reference can be bound to.
// reject: bit-field
#include <multiprocessing/pickle.hpp>

struct Flags {
    unsigned mode : 3;
    bool valid : 1;
    int number;
};

#ifdef ACCEPT
template <>
struct multiprocessing::pickle<Flags> : multiprocessing::pickle_bytewise<Flags> {};
#endif

int main() { return multiprocessing::dumps(Flags{1, true, 2}).size() != 0 ? 0 : 1; }
