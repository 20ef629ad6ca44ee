// SPDX-License-Identifier: MIT
// tests/reduction/loaded_modules.hpp — both modules' functions, for a test to try each.
#pragma once

#include "reduction/modules.hpp"
#include "support/catch.hpp"
#include "support/host.hpp"

#include <array>
#include <string_view>

namespace test {

struct LoadedModule {
    std::string_view name;
    ModuleFunctions const* functions;
};

/// Loaded once and never unloaded, as the library does with what a message names.
inline ModuleFunctions const& plugin_functions() {
    static ModuleFunctions const* const functions = [] {
        static auto const& library = *new Library(MULTIPROCESSING_TEST_REDUCTION_PLUGIN);
        REQUIRE(library);
        auto* const get = library.symbol<decltype(&reduction_plugin_functions)>(
            "reduction_plugin_functions");
        REQUIRE(get != nullptr);
        return get();
    }();
    return *functions;
}

inline std::array<LoadedModule, 2> loaded_modules() {
    return {LoadedModule{"a linked library", reduction_shared_functions()},
            LoadedModule{"a plugin", &plugin_functions()}};
}

}  // namespace test
