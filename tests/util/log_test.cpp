// SPDX-License-Identifier: MIT
// tests/util/log_test.cpp — the logger: levels, lines, children.
#define DEBUG 1
#define ERROR
#include <multiprocessing/util/log.hpp>
#undef DEBUG
#undef ERROR

#include <multiprocessing/context.hpp>

#include "support/capture.hpp"
#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// The logger as it was before, whatever the test does with it.
struct RestoredLogger {
    ~RestoredLogger() {
        mp::get_logger().clear_handlers();
        mp::get_logger().set_level(mp::logging::NOTSET);
    }
};

}  // namespace

TEST_CASE("get_logger: levels filter, and without one WARNING is the least", "[util]") {
    // CPython: _TestLogging.test_enable_logging
    RestoredLogger const restored;
    auto& logger = mp::get_logger();
    std::vector<std::string> lines;
    logger.add_handler([&](std::string_view line) { lines.emplace_back(line); });
    CHECK(logger.level() == mp::logging::NOTSET);
    CHECK(logger.effective_level() == mp::logging::WARNING);
    logger.info("not seen");
    logger.warning("seen {}");
    logger.error("seen {}", 2);
    logger.set_level(mp::logging::DEBUG);
    logger.debug("deep");
    logger.log(mp::SUBDEBUG, "too deep");
    logger.set_level(mp::SUBDEBUG);
    logger.log(mp::SUBDEBUG, "{} deep", "very");
    logger.critical("the end");
    CHECK(lines ==
          std::vector<std::string>{"[WARNING/MainProcess] seen {}", "[ERROR/MainProcess] seen 2",
                                   "[DEBUG/MainProcess] deep", "[Level 5/MainProcess] very deep",
                                   "[CRITICAL/MainProcess] the end"});
    CHECK(&mp::get_logger() == &logger);
}

TEST_CASE("log_to_stderr: sets the level only when given, and writes each line", "[util]") {
    RestoredLogger const restored;
    test::CaptureStderr captured;
    auto& logger = mp::log_to_stderr();
    CHECK(logger.level() == mp::logging::NOTSET);
    logger.warning("doomed");
    mp::log_to_stderr(mp::logging::INFO);
    CHECK(logger.level() == mp::logging::INFO);
    logger.info("twice");
    CHECK(captured.text() == "[WARNING/MainProcess] doomed\n[INFO/MainProcess] twice\n"
                             "[INFO/MainProcess] twice\n");
}

namespace {
void say_level(mp::Queue<int> q) {
    mp::get_logger().info("from the child");
    q.put(mp::get_logger().level());
}
}  // namespace

TEST_CASE("log_to_stderr: a child goes on with level and handler", "[util]") {
    // CPython: _TestLogging.test_level
    RestoredLogger const restored;
    auto const ctx = test::each_context();
    auto q = ctx.Queue<int>();
    test::CaptureStderr captured;
    mp::log_to_stderr(mp::logging::INFO);
    auto p = ctx.Process({.name = "Chatter"}, say_level, q);
    p.start();
    p.join();
    auto const text = captured.text();
    CHECK(q.get() == mp::logging::INFO);
    CHECK_THAT(text, ContainsSubstring("[INFO/Chatter] child process calling self.run()\n"
                                       "[INFO/Chatter] from the child\n"
                                       "[INFO/Chatter] process shutting down\n"
                                       "[INFO/Chatter] process exiting with exitcode 0\n"));
}

namespace {
void tell_levels(mp::Queue<std::pair<int, int>> q) {
    q.put({mp::get_logger().level(), mp::get_logger().effective_level()});
}
}  // namespace

TEST_CASE("get_logger: a child has the level of its parent, or the least that is shown",
          "[util]") {
    // CPython: _TestLogging.test_level
    RestoredLogger const restored;
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::pair<int, int>>();
    for (int const level : {mp::logging::CRITICAL, mp::SUBWARNING, mp::logging::NOTSET}) {
        mp::get_logger().set_level(level);
        auto p = ctx.Process(tell_levels, q);
        p.start();
        p.join();
        auto const least = level == mp::logging::NOTSET ? mp::logging::WARNING : level;
        CHECK(q.get() == std::pair{level, least});
    }
}

namespace {
void log_from_grandchild(int depth) {
    if (depth > 0) {
        mp::Process p({.name = "Inner"}, log_from_grandchild, depth - 1);
        p.start();
        p.join();
        return;
    }
    mp::get_logger().log(mp::SUBWARNING, "deep");
}
}  // namespace

TEST_CASE("log_to_stderr: handler and level go down the tree", "[util]") {
    RestoredLogger const restored;
    auto const ctx = test::each_context();
    test::CaptureStderr captured;
    mp::log_to_stderr(mp::SUBWARNING);
    auto p = ctx.Process({.name = "Outer"}, log_from_grandchild, 1);
    p.start();
    p.join();
    CHECK(captured.text() == "[Level 25/Inner] deep\n");
}

namespace {
void log_much(std::string text) {
    for (int i = 0; i < 200; ++i) mp::get_logger().error(text);
}
}  // namespace

TEST_CASE("log_to_stderr: lines of many processes stay whole", "[util]") {
    RestoredLogger const restored;
    auto const ctx = test::each_context();
    test::CaptureStderr captured;
    mp::log_to_stderr(mp::logging::ERROR);
    std::vector<mp::Process> all;
    for (char const letter : {'a', 'b', 'c'})
        all.push_back(
            ctx.Process({.name = std::string(1, letter)}, log_much, std::string(300, letter)));
    for (auto& p : all) p.start();
    for (auto& p : all) p.join();
    auto const text = captured.text();
    std::size_t lines = 0, whole = 0;
    for (std::size_t at = 0; at < text.size(); ++lines) {
        auto const end = std::min(text.find('\n', at), text.size());
        auto const line = text.substr(at, end - at);
        auto const letter = line.size() > 7 ? line[7] : '?';
        whole += line == "[ERROR/" + std::string(1, letter) + "] " + std::string(300, letter);
        at = end + 1;
    }
    CHECK(lines == 600);
    CHECK(whole == 600);
}
