// SPDX-License-Identifier: MIT
// tests/compile/pickle_reference_in_aggregate.cpp — a member that is a reference.
// reject: a reference cannot cross a process boundary: hold a value
#include <multiprocessing/pickle.hpp>

#include <string>

struct Named {
#ifdef REJECT
    std::string const& name;
#else
    std::string name;
#endif
    int number;
};

int main() {
    std::string const name = "Lily";
    return multiprocessing::dumps(Named{name, 1}).size() != 0 ? 0 : 1;
}
