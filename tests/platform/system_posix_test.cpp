// SPDX-License-Identifier: MIT
// tests/platform/system_posix_test.cpp — the affinity of a thread; system_win32_test.cpp has the
// process's.
#include <multiprocessing/platform/system.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <sched.h>

namespace platform = multiprocessing::platform;

TEST_CASE("process_cpu_count: honours the affinity", "[platform]") {
    CHECK(test::in_child([] {
              cpu_set_t one;
              CPU_ZERO(&one);
              CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
              ::sched_setaffinity(0, sizeof one, &one);
              return platform::process_cpu_count();
          }) == 1);
}
