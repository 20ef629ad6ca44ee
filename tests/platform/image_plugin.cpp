// SPDX-License-Identifier: MIT
// tests/platform/image_plugin.cpp — a library that image_test.cpp loads, copies and unloads.
extern "C" {
[[gnu::visibility("default")]] int image_plugin_number = 7;
[[gnu::visibility("default")]] int image_plugin_function() { return image_plugin_number; }
}
