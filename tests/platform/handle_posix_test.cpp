// SPDX-License-Identifier: MIT
// tests/platform/handle_posix_test.cpp — descriptors get the lowest free number, HANDLEs do not.
#include <multiprocessing/platform/handle.hpp>

#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <unistd.h>

namespace platform = multiprocessing::platform;

TEST_CASE("Handle: a new one never takes the place of a closed standard stream", "[platform]") {
    CHECK(test::in_child([] {
              ::close(STDIN_FILENO);
              ::close(STDOUT_FILENO);
              platform::Doorbell const bell;
              auto const [one, other] = platform::stream_pair();
              platform::Handle const copy = platform::duplicate(one.get());
              return bell.handle() > 2 && one.get() > 2 && other.get() > 2 && copy.get() > 2 ? 0
                                                                                             : 1;
          }) == 0);
}
