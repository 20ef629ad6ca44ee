// SPDX-License-Identifier: MIT
// tests/compile/shared_string.cpp — a shared value that owns memory of one process.
// reject: a shared value must be trivially copyable
#include <multiprocessing/sharedctypes.hpp>

#include <array>
#include <string>

int main() {
#ifdef REJECT
    multiprocessing::Value<std::string> name;
#else
    multiprocessing::Value<std::array<char, 16>> name;
#endif
}
