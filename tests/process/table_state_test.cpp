// SPDX-License-Identifier: MIT
// tests/process/table_state_test.cpp — an executable and a plugin share the state of the process.
#include <multiprocessing/process/table.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/host.hpp"

#include <chrono>
#include <thread>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

TEST_CASE("process state: a plugin knows the children, the names and the logger of the executable",
          "[process]") {
    // Never closed: what a plugin has registered runs its code when the process ends.
    static auto const& plugin = *new test::Library(MULTIPROCESSING_TEST_STATE_PLUGIN);
    REQUIRE(plugin);
    auto const call = [](char const* name) { return plugin.symbol<int (*)()>(name)(); };
    mp::get_logger().set_level(mp::logging::CRITICAL);
    CHECK(call("plugin_level") == mp::logging::CRITICAL);
    mp::get_logger().set_level(mp::logging::NOTSET);

    mp::Process p([] { std::this_thread::sleep_for(1h); });
    p.start();
    CHECK(call("plugin_children") == 1);
    p.kill();
    p.join();
    CHECK(call("plugin_children") == 0);

    plugin.symbol<void (*)(char const*)>("plugin_name_us")("renamed");
    CHECK(mp::current_process().name() == "renamed");
    for (auto const& method : mp::get_all_start_methods()) {
        CAPTURE(method);
        auto const number = static_cast<int>(mp::process::method_of(method));
        CHECK(plugin.symbol<int (*)(int)>("plugin_start")(number) == 4);
    }
    mp::current_process().name("MainProcess");
}
