// SPDX-License-Identifier: MIT
// tests/reduction/reduction_shared.cpp — a library linked to the tests, with hidden visibility.
#include "reduction/module_functions.hpp"
#include "support/host.hpp"

TEST_EXPORT test::ModuleFunctions const* reduction_shared_functions() {
    return &functions;
}
