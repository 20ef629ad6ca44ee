// SPDX-License-Identifier: MIT
// tests/process/orphan_test.cpp — children leave when their parent is killed.
#include <multiprocessing/process/parent_watch.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

std::uint64_t volatile turns = 0;

void live_for_ever(mp::Queue<int> pids, bool busy) {
    pids.put(*mp::current_process().pid());
    while (busy) turns = turns + 1;
    for (;;) std::this_thread::sleep_for(1h);
}

void have_children(mp::Queue<int> pids, bool without_handles) {
    mp::platform::simulate_missing_process_handles(without_handles);
    for (bool const busy : {false, true}) mp::Process(live_for_ever, pids, busy).start();
    for (;;) std::this_thread::sleep_for(1h);
}

}  // namespace

TEST_CASE("Process: grandchildren leave when the child is killed", "[process]") {
    // CPython: _TestProcess.test_parent_process
    auto const ctx = test::each_context();
    bool const without_handles = GENERATE(false, true);
    auto const before = mp::heap::statistics().slots;
    auto pids = ctx.Queue<int>();
    auto p = ctx.Process(have_children, pids, without_handles);
    p.start();
    std::vector<mp::platform::Handle> ends;
    for (int i = 0; i < 2; ++i) ends.push_back(mp::platform::open_process(pids.get()));
    p.kill();
    p.join();
    CHECK(p.exitcode() == -SIGKILL);
    for (auto const& end : ends) {
        REQUIRE(end);
        std::vector const handles{end.get()};
        CHECK(mp::platform::poll_handles(handles, 30'000'000'000).size() == 1);
    }
    mp::heap::sweep_dead();
    CHECK(mp::heap::statistics().slots == before);
}
