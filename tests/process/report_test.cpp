// SPDX-License-Identifier: MIT
// tests/process/report_test.cpp — what stderr tells of an exception that ends a process.
#include <multiprocessing/process/report.hpp>

#include <multiprocessing/context.hpp>

#include "support/capture.hpp"
#include "support/catch.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <exception>
#include <stdexcept>
#include <string>

namespace mp = multiprocessing;

namespace app {
struct Trouble : std::logic_error {
    using std::logic_error::logic_error;
};
}  // namespace app

namespace {

void throw_nested() {
    try {
        try {
            throw mp::KeyError("no such key");
        } catch (...) {
            std::throw_with_nested(app::Trouble("cannot look up"));
        }
    } catch (...) {
        std::throw_with_nested(mp::ValueError("bad value"));
    }
}
void throw_number() { throw 42; }
void throw_nested_number() {
    try {
        throw_number();
    } catch (...) {
        std::throw_with_nested(std::runtime_error("not only a number"));
    }
}

template <class F>
std::string description(F f) {
    try {
        f();
    } catch (...) {
        return mp::process::describe_current_exception();
    }
    return "";
}

}  // namespace

TEST_CASE("report: each exception in a nest has a line", "[process]") {
    CHECK(description(throw_nested) == "ValueError: bad value\n"
                                       "  caused by app::Trouble: cannot look up\n"
                                       "  caused by KeyError: no such key\n");
    CHECK(description(throw_number) == "int: no std::exception\n");
    CHECK(description(throw_nested_number) == "std::runtime_error: not only a number\n"
                                              "  caused by int: no std::exception\n");
    CHECK(description([] { throw std::nested_exception(); }) ==
          "std::nested_exception: no std::exception\n");
}

TEST_CASE("report: it is complete on stderr before the process ends", "[process]") {
    // CPython: _TestSubclassingProcess.test_stderr_flush
    auto const ctx = test::each_context();
    test::CaptureStderr captured;
    auto p = ctx.Process({.name = "Wound"}, throw_nested);
    auto const exitcode = test::run(p);
    auto const text = captured.text();
    CHECK(exitcode == 1);
    CHECK(text == "Process Wound:\n" + description(throw_nested));
}
