// SPDX-License-Identifier: MIT
// tests/process/parent_watch_test.cpp — children leave when their parent is killed.
#include <multiprocessing/process/parent_watch.hpp>

#include <multiprocessing/context.hpp>
#include <multiprocessing/futures.hpp>
#include <multiprocessing/reduction/partial.hpp>

#include "support/catch.hpp"
#include "support/killed.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <chrono>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

namespace mp = multiprocessing;

namespace {

enum class Way { sleeping, busy, in_a_queue, at_a_lock, waiting_for_a_child };

std::uint64_t volatile turns = 0;

struct Stage {
    mp::Queue<int> pids;
    mp::Queue<int> empty;
    mp::Lock taken;  // by the test, for ever
};

int spin(Stage stage, int) {
    stage.pids.put(*mp::current_process().pid());
    for (;;) turns = turns + 1;
}

void live_for_ever(Stage stage, Way way) {
    stage.pids.put(*mp::current_process().pid());
    switch (way) {
    case Way::sleeping: test::sleep_for_ever(); break;
    case Way::busy:
        for (;;) turns = turns + 1;
    case Way::in_a_queue: stage.empty.get(); break;
    case Way::at_a_lock: stage.taken.acquire(); break;
    case Way::waiting_for_a_child: {
        mp::Process p(live_for_ever, stage, Way::busy);
        p.start();
        p.join();
    }
    }
}

constexpr Way all_ways[] = {Way::sleeping, Way::busy, Way::in_a_queue, Way::at_a_lock,
                            Way::waiting_for_a_child};

void have_children(Stage stage, bool without_handles) {
    mp::platform::simulate_missing_process_handles(without_handles);
    std::thread([&stage] {  // which is gone when the process is killed
        for (auto const way : all_ways) mp::Process(live_for_ever, stage, way).start();
    }).join();
    stage.pids.put(0);  // the thread has ended
    test::sleep_for_ever();
}

void have_pool(Stage stage, bool) {
    mp::Pool pool(2);
    auto const result =
        pool.map_async(mp::partial(spin, stage), std::vector<int>{1, 2}, {.chunksize = 1});
    stage.pids.put(0);
    test::sleep_for_ever();
}

/// Whose workers are no daemons.
void have_executor(Stage stage, bool) {
    mp::futures::ProcessPoolExecutor executor({.max_workers = 2});
    auto const first = executor.submit(spin, stage, 1);
    auto const second = executor.submit(spin, stage, 2);
    stage.pids.put(0);
    test::sleep_for_ever();
}

/// Kills the process once its `count` descendants live and it has told so; all must leave.
void kill_and_look(mp::Process p, Stage& stage, int count) {
    p.start();
    std::vector<mp::platform::Handle> descendants;
    for (int told = 0; told <= count; ++told)
        if (auto const pid = stage.pids.get(true, std::chrono::seconds(60)))
            descendants.push_back(mp::platform::open_process(pid));
    p.kill();
    p.join();
    CHECK(p.exitcode() == -test::kill_signal);
    for (auto const& descendant : descendants) {
        REQUIRE(descendant);
        CHECK(test::ends(descendant));
    }
    CHECK(descendants.size() == static_cast<std::size_t>(count));
}

void check(void (*run)(Stage, bool), bool without_handles, int count) {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    Stage stage{ctx.Queue<int>(), ctx.Queue<int>(), ctx.Lock()};
    stage.taken.acquire();
    kill_and_look(ctx.Process(run, stage, without_handles), stage, count);
    stage.taken.release();
    CHECK(test::no_process_left(before));
}

}  // namespace

TEST_CASE("Process: children and grandchildren leave when the parent is killed", "[process]") {
    check(have_children, false, 6);
}

TEST_CASE("Process: they do where the system has no handles of processes", "[process]") {
    check(have_children, true, 6);
}

TEST_CASE("Process: busy workers of a pool leave when its process is killed", "[process]") {
    check(have_pool, false, 2);
}

TEST_CASE("Process: busy workers of an executor leave when its process is killed", "[process]") {
    check(have_executor, false, 2);
}

namespace {
using Seen = std::pair<bool, int>;
void watch_parent(mp::Queue<Seen> q) {
    auto const parent = *mp::parent_process();
    q.put({parent.is_alive() && !parent.join(std::chrono::seconds(0)),
           *mp::current_process().pid()});
    auto const gone = parent.join(std::chrono::seconds(60));
    q.put({gone && !parent.is_alive(), *parent.pid()});
}
void have_watcher(mp::Queue<Seen> q) {
    mp::process::start_child({.watches_parent = false}, watch_parent, q);
    test::sleep_for_ever();
}
}  // namespace

TEST_CASE("Process: parent_process() tells that the parent was killed, to one who outlives it",
          "[process]") {
    // CPython: _TestProcess.test_parent_process
    auto const ctx = test::each_context();
    auto q = ctx.Queue<Seen>();
    auto p = ctx.Process(have_watcher, q);
    p.start();
    auto const [alive, pid] = q.get();
    CHECK(alive);
    auto const watcher = mp::platform::open_process(pid);
    p.kill();
    CHECK(q.get(true, std::chrono::seconds(60)) == Seen{true, *p.pid()});
    p.join();
    CHECK(test::ends(watcher));
}
