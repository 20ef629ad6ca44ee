// SPDX-License-Identifier: MIT
// tests/platform/image_plugin.cpp — a library that image_test.cpp loads, copies and unloads.
#include "support/host.hpp"

extern "C" {
TEST_EXPORT int image_plugin_number = 7;
TEST_EXPORT int image_plugin_function() { return image_plugin_number; }
}
