// SPDX-License-Identifier: MIT
// tests/compile/pool_argument_count.cpp — a task with an argument too few.
// reject: the target cannot be called with these arguments: compare their number and types
#include <multiprocessing.hpp>

#include <string>

namespace mp = multiprocessing;

int repeat(std::string, int times) { return times; }

int main() {
    mp::freeze_support();
    mp::Pool pool(1);
#ifdef REJECT
    auto result = pool.apply_async(repeat, "bob");
#else
    auto result = pool.apply_async(repeat, "bob", 2);
#endif
    result.wait();
}
