// SPDX-License-Identifier: MIT
// tests/support/main.cpp — the main of the test programs; under spawn of their children too.
#define CATCH_CONFIG_RUNNER
#define CATCH_CONFIG_NO_POSIX_SIGNALS  // children would inherit the handlers
#include <multiprocessing/spawn.hpp>

#include "support/catch.hpp"
#include "support/dangling.hpp"

int main(int argc, char* argv[]) {
    multiprocessing::freeze_support();  // before Catch2 reads arguments that are not for it
    int const status = Catch::Session().run(argc, argv);
    return status != 0 ? status : test::dangling_cases() != 0 ? 1 : 0;
}
