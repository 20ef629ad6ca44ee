// SPDX-License-Identifier: MIT
// tests/reduction/reduction_plugin.cpp — a library that is loaded by name, with hidden visibility.
#include "reduction/module_functions.hpp"

[[gnu::visibility("default")]] test::ModuleFunctions const* reduction_plugin_functions() {
    return &functions;
}
