// SPDX-License-Identifier: MIT
// tests/reduction/modules.hpp — what the linked library and the plugin offer to the tests.
#pragma once

#include <multiprocessing/pickle/fwd.hpp>

namespace test {

/// A module's functions, and tasks that its own code writes.
struct ModuleFunctions {
    using Dump = void (*)(multiprocessing::Writer&);

    int (*twice)(int);
    int (*also_twice)(int);  // the same code
    Dump dump_lambda;        // a lambda's task: 7 * 6
    Dump dump_partial;       // mp::partial(twice, 4), as a value
    Dump dump_function;      // twice, as a value
    Dump dump_throwing;      // a task that throws mp::ValueError("from afar")
    /// Reads an int (*)(int) that another module wrote and calls it.
    int (*load_and_call)(multiprocessing::Reader&, int);
};

}  // namespace test

/// Of the linked library.
extern "C" test::ModuleFunctions const* reduction_shared_functions();
/// Of the plugin: found by its name.
extern "C" test::ModuleFunctions const* reduction_plugin_functions();
