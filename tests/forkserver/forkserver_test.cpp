// SPDX-License-Identifier: MIT
// tests/forkserver/forkserver_test.cpp — what is preloaded, and what becomes of what it throws.
#include <multiprocessing/forkserver.hpp>

#include "forkserver/servers.hpp"
#include "support/capture.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace mp = multiprocessing;

namespace {

int loaded = 0;

void load() { loaded = loaded * 10 + 4; }
void load_more() { loaded = loaded * 10 + 2; }
void fail() { throw mp::ValueError("cannot be loaded"); }
void leave_a_thread() {
    std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
}
void print_something() { std::fputs("printed once\n", stdout); }
void make_a_lock() {
    static mp::Lock lock;
    lock.acquire();
    lock.release();
}

void tell_loaded(mp::Value<int> value) { value.value() = loaded; }

int loaded_in_child() {
    mp::Value<int> value(-1);
    auto p = test::context().Process(tell_loaded, value);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    return value.value();
}

/// Each test has a server of its own.
struct Fresh {
    Fresh() { test::kill_server(); }
    ~Fresh() {
        mp::set_forkserver_preload();
        test::kill_server();
    }
};

}  // namespace

TEST_CASE("set_forkserver_preload: children find what was loaded, in order", "[forkserver]") {
    // CPython: TestForkserverPreload.test_preload_valid_modules_with_on_error_fail
    Fresh const fresh;
    mp::set_forkserver_preload({.on_error = "fail"}, load, load_more);
    CHECK(loaded_in_child() == 42);
    CHECK(loaded_in_child() == 42);
    CHECK(loaded == 0);
    test::kill_server();
    test::context().set_forkserver_preload([] { loaded = 7; });
    CHECK(loaded_in_child() == 7);
}

TEST_CASE("set_forkserver_preload: errors are ignored unless told otherwise", "[forkserver]") {
    // CPython: TestForkserverPreload.test_preload_on_error_ignore_default,
    // test_preload_on_error_ignore_explicit
    Fresh const fresh;
    bool const is_explicit = GENERATE(false, true);
    if (is_explicit) mp::set_forkserver_preload({.on_error = "ignore"}, fail, load);
    else mp::set_forkserver_preload(fail, load);
    CHECK(loaded_in_child() == 4);
}

TEST_CASE("set_forkserver_preload: errors are told on stderr", "[forkserver]") {
    // CPython: TestForkserverPreload.test_preload_on_error_warn
    Fresh const fresh;
    mp::set_forkserver_preload({.on_error = "warn"}, fail, load);
    test::CaptureStderr capture;
    auto const result = loaded_in_child();
    auto const text = capture.text();
    CHECK(result == 4);
    CHECK(text == "Process ForkServer:\nValueError: cannot be loaded\n");
}

TEST_CASE("set_forkserver_preload: errors fail the start, until it is mended", "[forkserver]") {
    // CPython: TestForkserverPreload.test_preload_on_error_fail_breaks_context
    Fresh const fresh;
    mp::set_forkserver_preload({.on_error = "fail"}, load, fail);
    std::string reported, thrown;
    {
        test::CaptureStderr capture;
        auto p = test::context().Process([] {});
        for (int i = 0; i < 2; ++i) {
            try {
                p.start();
            } catch (mp::EOFError const& error) {
                thrown = error.what();
            }
            CHECK(p.pid() == std::nullopt);
        }
        reported = capture.text();
    }
    CHECK_THAT(thrown, Catch::Matchers::ContainsSubstring("on_error"));
    CHECK_THAT(reported, Catch::Matchers::ContainsSubstring("ValueError: cannot be loaded"));
    mp::set_forkserver_preload({.on_error = "fail"}, load);
    CHECK(loaded_in_child() == 4);
}

TEST_CASE("set_forkserver_preload: an unknown on_error is a ValueError", "[forkserver]") {
    // CPython: TestForkserverPreload.test_preload_invalid_on_error_value
    CHECK_THROWS_AS(mp::set_forkserver_preload({.on_error = "panic"}, load), mp::ValueError);
}

TEST_CASE("set_forkserver_preload: a function that leaves a thread fails the start",
          "[forkserver]") {
    Fresh const fresh;
    mp::set_forkserver_preload(leave_a_thread);
    test::CaptureStderr capture;
    auto p = test::context().Process([] {});
    CHECK_THROWS_AS(p.start(), mp::RuntimeError);
    CHECK_THAT(capture.text(), Catch::Matchers::ContainsSubstring("has 2 threads"));
}

TEST_CASE("set_forkserver_preload: a lock made there does no harm", "[forkserver]") {
    // CPython: TestStartMethod.test_preload_resources
    Fresh const fresh;
    mp::set_forkserver_preload({.on_error = "fail"}, make_a_lock, load);
    CHECK(loaded_in_child() == 4);
}

TEST_CASE("fork server: what is printed while loading is printed once", "[forkserver]") {
    // CPython: _TestSpawnedSysPath.test_std_streams_flushed_after_preload
    Fresh const fresh;
    mp::set_forkserver_preload(print_something);
    std::fflush(stdout);
    std::FILE* const file = std::tmpfile();
    int const saved = ::dup(STDOUT_FILENO);
    ::dup2(::fileno(file), STDOUT_FILENO);
    loaded_in_child();
    loaded_in_child();
    ::dup2(saved, STDOUT_FILENO);
    ::close(saved);
    std::rewind(file);
    char text[64] = {};
    auto const size = std::fread(text, 1, sizeof text, file);
    std::fclose(file);
    CHECK(std::string(text, size) == "printed once\n");
}
