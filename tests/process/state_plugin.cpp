// SPDX-License-Identifier: MIT
// tests/process/state_plugin.cpp — a plugin with hidden visibility that uses the library too.
#include <multiprocessing/process.hpp>
#include <multiprocessing/start_method.hpp>
#include <multiprocessing/util.hpp>

#include "support/host.hpp"

namespace mp = multiprocessing;

extern "C" {

TEST_EXPORT int plugin_level() { return mp::get_logger().level(); }
TEST_EXPORT int plugin_children() {
    return static_cast<int>(mp::active_children().size());
}
TEST_EXPORT void plugin_name_us(char const* name) {
    mp::current_process().name(name);
}
TEST_EXPORT int plugin_start(int method) {
    mp::Process p({.start_method = static_cast<mp::StartMethod>(method)},
                  [] { throw mp::SystemExit(mp::parent_process()->name() == "renamed" ? 4 : 5); });
    p.start();
    p.join();
    return *p.exitcode();
}
}
