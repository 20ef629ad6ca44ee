// SPDX-License-Identifier: MIT
// tests/compile/pickle_capturing_lambda.cpp — a lambda with a captured value.
// reject: a lambda that captures cannot be pickled: bind values with mp::partial
#include <multiprocessing/pickle.hpp>

int main(int argc, char**) {
#ifdef REJECT
    auto const value = [argc] { return argc; };
#else
    auto const value = argc;
#endif
    return multiprocessing::dumps(value).size() != 0 ? 0 : 1;
}
