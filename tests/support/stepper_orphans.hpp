// SPDX-License-Identifier: MIT
// tests/support/stepper_orphans.hpp — what a trial leaves behind becomes our child, and is ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <sys/types.h>

namespace test::stepper {

/// While it lives this process adopts the orphans of its descendants (PR_SET_CHILD_SUBREAPER).
class OrphanHome {
public:
    OrphanHome();
    OrphanHome(OrphanHome const&) = delete;
    OrphanHome& operator=(OrphanHome const&) = delete;
    ~OrphanHome();

    /// Reaps all children but those that were there before. Returns how many had to be killed
    /// because they did not end by themselves within `patience`.
    std::size_t collect(std::chrono::milliseconds patience);

private:
    std::vector<pid_t> before_;
    int was_ = 0;
};

}  // namespace test::stepper
