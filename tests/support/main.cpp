// SPDX-License-Identifier: MIT
// tests/support/main.cpp — the main of the test programs; under spawn of their children too.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"
#include "support/dangling.hpp"

#if __has_include(<multiprocessing/spawn.hpp>)
#include <multiprocessing/spawn.hpp>
#endif

int main(int argc, char* argv[]) {
#if __has_include(<multiprocessing/spawn.hpp>)
    multiprocessing::freeze_support();  // before Catch2 reads arguments that are not for it
#endif
    int const status = Catch::Session().run(argc, argv);
    return status != 0 ? status : test::dangling_cases() != 0 ? 1 : 0;
}
