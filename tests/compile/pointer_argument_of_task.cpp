// SPDX-License-Identifier: MIT
// tests/compile/pointer_argument_of_task.cpp — an argument that points into this process.
// reject: a raw pointer cannot cross a process boundary
#include <multiprocessing.hpp>

#include <vector>

namespace mp = multiprocessing;

#ifdef REJECT
int total(std::vector<int>* numbers) { return static_cast<int>(numbers->size()); }
#else
int total(std::vector<int> numbers) { return static_cast<int>(numbers.size()); }
#endif

int main() {
    mp::freeze_support();
    mp::Pool pool(1);
    std::vector<int> numbers{1, 2, 3};
#ifdef REJECT
    return pool.apply(total, &numbers);
#else
    return pool.apply(total, numbers);
#endif
}
