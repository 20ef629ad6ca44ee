// SPDX-License-Identifier: MIT
// tests/compile/capturing_lambda_in_map.cpp — a task that would take a captured variable along.
// reject: a lambda that captures cannot be pickled: bind values with mp::partial
#include <multiprocessing.hpp>

#include <vector>

namespace mp = multiprocessing;

int add(int a, int b) { return a + b; }

std::vector<int> add_to_all(mp::Pool& pool, int offset) {
#ifdef REJECT
    return pool.map([offset](int x) { return add(offset, x); }, {1, 2, 3});
#else
    return pool.map(mp::partial(add, offset), {1, 2, 3});
#endif
}

int main() {
    mp::freeze_support();
    mp::Pool pool(1);
    return add_to_all(pool, 1).size() == 3 ? 0 : 1;
}
