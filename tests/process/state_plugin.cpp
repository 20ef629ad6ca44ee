// SPDX-License-Identifier: MIT
// tests/process/state_plugin.cpp — a plugin with hidden visibility that uses the library too.
#include <multiprocessing/process.hpp>
#include <multiprocessing/start_method.hpp>
#include <multiprocessing/util.hpp>

namespace mp = multiprocessing;

extern "C" {

[[gnu::visibility("default")]] int plugin_level() { return mp::get_logger().level(); }
[[gnu::visibility("default")]] int plugin_children() {
    return static_cast<int>(mp::active_children().size());
}
[[gnu::visibility("default")]] void plugin_name_us(char const* name) {
    mp::current_process().name(name);
}
[[gnu::visibility("default")]] int plugin_start() {
    mp::Process p([] { throw mp::SystemExit(mp::parent_process()->name() == "renamed" ? 4 : 5); });
    p.start();
    p.join();
    return *p.exitcode();
}
}
