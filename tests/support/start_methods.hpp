// SPDX-License-Identifier: MIT
// tests/support/start_methods.hpp — runs a test case once for each start method.
#pragma once

#include "support/catch.hpp"

#include <multiprocessing/context.hpp>

#include <string>

namespace test {

/// The context of each start method in turn; the name stands in the report of a failure.
inline multiprocessing::Context each_context() {
    auto const name = GENERATE(from_range(multiprocessing::get_all_start_methods()));
    UNSCOPED_INFO("start method " << name);
    return multiprocessing::get_context(name);
}

}  // namespace test
