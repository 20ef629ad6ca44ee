// SPDX-License-Identifier: MIT
// tests/compile/pickle_pointer_in_array.cpp — pointers in an array, read.
// reject: a raw pointer cannot cross a process boundary
#include <multiprocessing/pickle.hpp>

#include <map>
#include <vector>

struct Row {
    char name[16];
#ifdef REJECT
    char* cells[4];
#else
    char cells[4];
#endif
};

int main() {
    using Table = std::map<int, std::vector<Row>>;
    return multiprocessing::loads<Table>(multiprocessing::dumps(std::map<int, std::vector<int>>{}))
                   .empty()
               ? 0
               : 1;
}
