// SPDX-License-Identifier: MIT
// tests/compile/view_in_aggregate.cpp — a member that looks into memory of this process.
// reject: use std::string for std::string_view
#include <multiprocessing/pickle.hpp>

#include <string>
#include <string_view>

struct Name {
#ifdef REJECT
    std::string_view text;
#else
    std::string text;
#endif
};

int main() { return multiprocessing::dumps(Name{"lily"}).size() != 0 ? 0 : 1; }
