// SPDX-License-Identifier: MIT
// tests/compile/shared_pointers.cpp — a shared array of addresses in one process.
// reject: a shared value must be trivially copyable and no pointer
#include <multiprocessing/sharedctypes.hpp>

int main() {
#ifdef REJECT
    multiprocessing::Array<int*> places(3);
#else
    multiprocessing::Array<int> places(3);
#endif
}
