// SPDX-License-Identifier: MIT
// tests/compile/raw_pointer_in_aggregate.cpp — a member that points into this process.
// reject: a raw pointer cannot cross a process boundary
#include <multiprocessing/pickle.hpp>

#include <memory>

struct Node {
    int value = 0;
#ifdef REJECT
    int* next = nullptr;
#else
    std::unique_ptr<int> next;
#endif
};

int main() { return multiprocessing::dumps(Node{}).size() != 0 ? 0 : 1; }
