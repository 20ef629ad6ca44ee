// SPDX-License-Identifier: MIT
// tests/support/catch.hpp — hides what differs between Catch2 v3 and v2 for our tests.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

namespace test {
using ListenerBase = Catch::EventListenerBase;
}

#else

#include <catch2/catch.hpp>

#include <string>

/// As in v3: ends the test case, loudly, without failing it.
#define SKIP(...)                                                                                  \
    do {                                                                                           \
        WARN("SKIPPED: " << __VA_ARGS__);                                                          \
        return;                                                                                    \
    } while (false)

namespace Catch::Matchers {

/// v3's name of v2's Contains for strings.
inline auto ContainsSubstring(std::string const& text) { return Contains(text); }

}  // namespace Catch::Matchers

#ifdef CATCH_CONFIG_EXTERNAL_INTERFACES
namespace test {
using ListenerBase = Catch::TestEventListenerBase;
}
#endif

#endif
