// SPDX-License-Identifier: MIT
// tests/compile/pickle_std_function.cpp — a std::function, which hides what it calls.
// reject: a std::function hides what it calls and cannot be pickled
#include <multiprocessing/pickle.hpp>

#include <functional>
#include <optional>

struct Task {
#ifdef REJECT
    std::function<void()> call;
#else
    int call = 0;
#endif
};

int main() { return multiprocessing::dumps(std::optional<Task>()).size() != 0 ? 0 : 1; }
