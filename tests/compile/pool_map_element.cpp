// SPDX-License-Identifier: MIT
// tests/compile/pool_map_element.cpp — a function mapped over elements of another type.
// reject: the function cannot be called with an element
#include <multiprocessing.hpp>

#include <string>
#include <vector>

namespace mp = multiprocessing;

std::size_t length(std::string const& s) { return s.size(); }

int main() {
    mp::freeze_support();
    mp::Pool pool(1);
#ifdef REJECT
    std::vector<int> words{1, 2};
#else
    std::vector<std::string> words{"a", "bc"};
#endif
    return pool.map(length, words).size() == 2 ? 0 : 1;
}
