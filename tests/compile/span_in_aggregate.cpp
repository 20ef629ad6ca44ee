// SPDX-License-Identifier: MIT
// tests/compile/span_in_aggregate.cpp — a span, deep inside of what is pickled.
// reject: std::vector for std::span
#include <multiprocessing/pickle.hpp>

#include <map>
#include <optional>
#include <span>
#include <vector>

struct Row {
    int id = 0;
#ifdef REJECT
    std::span<int> cells;
#else
    std::vector<int> cells;
#endif
};

int main() {
    std::map<int, std::optional<Row>> const rows;
    return multiprocessing::dumps(rows).size() != 0 ? 0 : 1;
}
