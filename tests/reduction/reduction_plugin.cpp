// SPDX-License-Identifier: MIT
// tests/reduction/reduction_plugin.cpp — a library that is loaded by name, with hidden visibility.
#include "reduction/module_functions.hpp"
#include "support/host.hpp"

TEST_EXPORT test::ModuleFunctions const* reduction_plugin_functions() {
    return &functions;
}
