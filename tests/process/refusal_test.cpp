// SPDX-License-Identifier: MIT
// tests/process/refusal_test.cpp — what cannot be started leaves nothing behind.
#include <multiprocessing/process/start.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"

#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace mp = multiprocessing;
using Catch::Matchers::ContainsSubstring;

namespace {

void nothing() {}

template <class F>
std::string thrown(F f) {
    try {
        f();
    } catch (mp::RuntimeError const& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("Process: a program that cannot be run leaves no slot", "[process]") {
    auto const before = mp::heap::statistics();
    auto p = mp::get_context("spawn").Process(nothing);
    mp::set_executable("/nowhere/program");
    CHECK_THROWS_AS(p.start(), mp::OSError);
    mp::set_executable(std::nullopt);
    CHECK(mp::heap::statistics().slots == before.slots);
    CHECK(mp::heap::statistics().blocks == before.blocks);
    CHECK(mp::active_children().empty());
    p.start();  // it was not started then
    p.join();
    CHECK(p.exitcode() == 0);
}

TEST_CASE("Process: a program that is no child of ours leaves no slot either", "[process]") {
    // CPython: _TestProcess.test_set_executable
    auto const before = mp::heap::statistics();
    auto p = mp::get_context("spawn").Process(nothing);
    mp::set_executable("/bin/false");
    p.start();
    mp::set_executable(std::nullopt);
    p.join();
    CHECK(p.exitcode() == 1);
    CHECK(mp::heap::statistics().slots == before.slots);
    CHECK(mp::heap::statistics().blocks == before.blocks);
}

TEST_CASE("Process: spawn is refused where freeze_support was not called", "[process]") {
    // CPython: TestNoForkBomb.test_noforkbomb
    auto const before = mp::heap::statistics().slots;
    auto& table = mp::process::Table::instance();
    table.is_ready = false;  // as before main
    auto spawned = mp::get_context("spawn").Process(nothing);
    CHECK_THAT(
        thrown([&] { spawned.start(); }),
        ContainsSubstring("call multiprocessing::freeze_support() on the first line of main"));
    auto forked = mp::get_context("fork").Process(nothing);
    forked.start();
    forked.join();
    CHECK(forked.exitcode() == 0);

    table.is_spawned = true;  // as in a child that comes to its own main by way of a global
    auto bomb = mp::get_context("fork").Process(nothing);
    CHECK_THAT(thrown([&] { bomb.start(); }), ContainsSubstring("freeze_support"));
    table.is_spawned = false;
    table.is_ready = true;
    CHECK(mp::heap::statistics().slots == before);
}

TEST_CASE("Process: a child of a bare fork() is refused", "[process]") {
    auto const child = ::fork();
    if (child == 0) {
        auto const text = thrown([] { mp::Process(nothing).start(); });
        auto const more = thrown([] { (void)mp::current_process(); });
        ::_exit(text.find("forked without multiprocessing") != text.npos && more == text ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
}
