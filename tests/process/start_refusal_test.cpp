// SPDX-License-Identifier: MIT
// tests/process/start_refusal_test.cpp — what cannot be started leaves nothing behind.
#include <multiprocessing/process/start.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace mp = multiprocessing;
using Catch::Matchers::ContainsSubstring;
using test::nothing, test::thrown;

namespace {

/// Whatever program a test has set, the next one has the own one, and a fork server of it.
struct OwnProgram {
    OwnProgram() { mp::forkserver::stop_server(); }
    ~OwnProgram() {
        mp::set_executable(std::nullopt);
        mp::forkserver::stop_server();
    }
};

}  // namespace

TEST_CASE("Process: a program that cannot be run leaves nothing", "[process]") {
    auto const ctx = test::each_context();
    if (ctx.start_method() == mp::StartMethod::fork) return;  // runs no program
    OwnProgram const own;
    auto const before = test::in_use();
    auto p = ctx.Process(nothing);
    mp::set_executable("/nowhere/program");
    CHECK_THROWS_AS(p.start(), mp::OSError);
    mp::set_executable(std::nullopt);
    CHECK(mp::active_children().empty());
    CHECK(test::nothing_left(before));
    CHECK(test::run(p) == 0);  // it was not started then
}

TEST_CASE("Process: a program that is no child of ours leaves nothing either", "[process][posix]") {
    OwnProgram const own;
    auto const before = test::in_use();
    auto p = mp::get_context("spawn").Process(nothing);
    mp::set_executable("/bin/false");
    CHECK(test::run(p) == 1);
    CHECK(test::nothing_left(before));
}

TEST_CASE("Process: the program may be given as text or as a path", "[process]") {
    // CPython: _TestProcess.test_set_executable
    auto const ctx = test::each_context();
    OwnProgram const own;
    auto const text = mp::platform::executable_path();
    mp::set_executable(text);
    CHECK(test::run(ctx.Process(nothing)) == 0);
    mp::set_executable(text.c_str());
    CHECK(test::run(ctx.Process(nothing)) == 0);
    mp::set_executable(std::filesystem::path(text));
    CHECK(test::run(ctx.Process(nothing)) == 0);
}

TEST_CASE("Process: only fork starts a child where freeze_support was not called", "[process]") {
    // CPython: TestNoForkBomb.test_noforkbomb
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    auto& table = mp::process::Table::instance();
    table.is_ready = false;  // as before main
    auto p = ctx.Process(nothing);
    if (ctx.start_method() == mp::StartMethod::fork) {
        CHECK(test::run(p) == 0);
    } else {
        CHECK_THAT(
            thrown([&] { p.start(); }),
            ContainsSubstring("call multiprocessing::freeze_support() on the first line of main"));
    }

    table.is_spawned = true;  // as in a child that comes to its own main by way of a global
    auto bomb = ctx.Process(nothing);
    CHECK_THAT(thrown([&] { bomb.start(); }), ContainsSubstring("freeze_support"));
    table.is_spawned = false;
    table.is_ready = true;
    CHECK(test::nothing_left(before));
}
