// SPDX-License-Identifier: MIT
// tests/support/dangling.hpp — no test case leaves a child, a descriptor or shared memory behind.
#pragma once

namespace test {

/// How many test cases of this program left something behind. dangling_<system>.cpp counts, and
/// main fails.
int dangling_cases() noexcept;

}  // namespace test
