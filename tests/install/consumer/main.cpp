// SPDX-License-Identifier: MIT
// tests/install/consumer/main.cpp — the smallest program of a user.
#if __has_include(<multiprocessing.hpp>)
#include <multiprocessing.hpp>

namespace mp = multiprocessing;

static int square(int x) { return x * x; }

int main() {
    mp::freeze_support();
    mp::Pool pool(2);
    return pool.apply(square, 3) == 9 ? 0 : 1;
}
#else
#include <multiprocessing/version.hpp>

int main() { return MULTIPROCESSING_VERSION_MAJOR; }
#endif
