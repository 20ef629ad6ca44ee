// SPDX-License-Identifier: MIT
// tests/futures/future_test.cpp — what a future tells in each of its states.
#include <multiprocessing/futures/future.hpp>

#include "support/catch.hpp"
#include "support/latch.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using mp::futures::Future;
using namespace std::chrono_literals;

namespace {

Future<int> pending() { return {}; }
Future<int> running() {
    Future<int> f;
    f.set_running_or_notify_cancel();
    return f;
}
Future<int> cancelled() {
    Future<int> f;
    f.cancel();
    return f;
}
Future<int> notified() {
    auto f = cancelled();
    f.set_running_or_notify_cancel();
    return f;
}
Future<int> failed() {
    Future<int> f;
    f.set_exception(std::out_of_range("failed"));
    return f;
}
Future<int> successful() {
    Future<int> f;
    f.set_result(42);
    return f;
}

template <class F>
std::string tail(F const& future) {
    auto const text = fmt::format("{}", future);
    return text.substr(text.find(" state="));
}

}  // namespace

// CPython: FutureTests.test_done_callback_with_result, test_done_callback_with_exception,
// test_done_callback_with_cancel
TEST_CASE("Future: the callback sees how it has ended", "[futures][threads]") {
    int result = 0;
    Future<int> good;
    good.add_done_callback([&](Future<int> f) { result = f.result(); });
    good.set_result(5);
    CHECK(result == 5);

    bool has_thrown = false;
    Future<int> bad;
    bad.add_done_callback([&](Future<int> f) { has_thrown = f.exception() != nullptr; });
    bad.set_exception(std::out_of_range("five"));
    CHECK(has_thrown);

    bool was_cancelled = false;
    Future<int> dropped;
    dropped.add_done_callback([&](Future<int> f) { was_cancelled = f.cancelled(); });
    CHECK(dropped.cancel());
    CHECK(was_cancelled);
}

// CPython: FutureTests.test_done_callback_raises, test_done_callback_raises_already_succeeded
TEST_CASE("Future: a callback that throws does not keep the next one from running",
          "[futures][threads]") {
    std::string log;
    mp::get_logger().set_level(mp::logging::error);
    mp::get_logger().add_handler([&](std::string_view text) { log += text; });
    std::vector<int> order;
    Future<int> f;
    f.add_done_callback([&](Future<int>) {
        order.push_back(1);
        throw std::runtime_error("doh");
    });
    f.add_done_callback([&](Future<int>) { order.push_back(2); });
    f.set_result(5);
    CHECK(order == std::vector{1, 2});
    CHECK_NOTHROW(f.add_done_callback([](Future<int>) { throw std::runtime_error("late"); }));
    CHECK_THAT(log, Catch::Matchers::ContainsSubstring("doh"));
    CHECK_THAT(log, Catch::Matchers::ContainsSubstring("late"));
    mp::get_logger().clear_handlers();
    mp::get_logger().set_level(mp::logging::notset);
}

// CPython: FutureTests.test_done_callback_already_successful, test_done_callback_already_failed,
// test_done_callback_already_cancelled
TEST_CASE("Future: a callback of one that has ended runs at once", "[futures][threads]") {
    for (auto const& future : {successful(), failed(), cancelled(), notified()}) {
        int called = 0;
        future.add_done_callback([&](Future<int> f) { called += f == future; });
        CHECK(called == 1);
    }
}

// CPython: FutureTests.test_repr
TEST_CASE("Future: its repr has the state", "[futures][threads]") {
    CHECK(tail(pending()) == " state=pending>");
    CHECK(tail(running()) == " state=running>");
    CHECK(tail(cancelled()) == " state=cancelled>");
    CHECK(tail(notified()) == " state=cancelled>");
    CHECK(tail(failed()) == " state=finished raised std::out_of_range>");
    CHECK(tail(successful()) == " state=finished returned int>");
    CHECK(fmt::format("{}", pending()).rfind("<Future at 0x", 0) == 0);
}

// CPython: FutureTests.test_cancel, test_cancelled, test_done, test_running
TEST_CASE("Future: only what has not begun can be cancelled", "[futures][threads]") {
    CHECK(pending().cancel());
    CHECK_FALSE(running().cancel());
    CHECK(cancelled().cancel());
    CHECK(notified().cancel());
    CHECK_FALSE(failed().cancel());
    CHECK_FALSE(successful().cancel());

    for (auto const& f : {pending(), running(), failed(), successful()}) CHECK_FALSE(f.cancelled());
    for (auto const& f : {cancelled(), notified()}) CHECK(f.cancelled());
    for (auto const& f : {pending(), running()}) CHECK_FALSE(f.done());
    for (auto const& f : {cancelled(), notified(), failed(), successful()}) CHECK(f.done());
    CHECK(running().running());
    for (auto const& f : {pending(), cancelled(), notified(), failed(), successful()})
        CHECK_FALSE(f.running());
    CHECK_THROWS_AS(running().set_running_or_notify_cancel(), mp::RuntimeError);
    CHECK_THROWS_AS(successful().set_running_or_notify_cancel(), mp::RuntimeError);
}

// CPython: FutureTests.test_result_with_timeout, test_exception_with_timeout
TEST_CASE("Future: result and exception without waiting", "[futures][threads]") {
    for (auto const& f : {pending(), running()}) {
        CHECK_THROWS_AS(f.result(0s), mp::TimeoutError);
        CHECK_THROWS_AS(f.exception(0s), mp::TimeoutError);
    }
    for (auto const& f : {cancelled(), notified()}) {
        CHECK_THROWS_AS(f.result(0s), mp::CancelledError);
        CHECK_THROWS_AS(f.exception(0s), mp::futures::CancelledError);
    }
    CHECK_THROWS_AS(failed().result(0s), std::out_of_range);
    CHECK(failed().exception(0s) != nullptr);
    CHECK(successful().result(0s) == 42);
    CHECK(successful().exception(0s) == nullptr);
}

// CPython: FutureTests.test_result_with_success, test_result_with_cancel,
// test_exception_with_success
TEST_CASE("Future: who waits is woken by the end", "[futures][threads]") {
    auto const meanwhile = [](auto end, auto look) {
        Future<int> f;
        test::Latch waiting(1);
        std::thread thread([&] {
            waiting.wait();
            end(f);
        });
        waiting.count_down();
        look(f);
        thread.join();
    };
    meanwhile([](Future<int> f) { f.set_result(42); },
              [](Future<int> f) { CHECK(f.result(20s) == 42); });
    meanwhile([](Future<int> f) { f.cancel(); },
              [](Future<int> f) { CHECK_THROWS_AS(f.result(20s), mp::CancelledError); });
    meanwhile([](Future<int> f) { f.set_exception(std::out_of_range("later")); },
              [](Future<int> f) { CHECK(f.exception(20s) != nullptr); });
}

// CPython: FutureTests.test_multiple_set_result, test_multiple_set_exception
TEST_CASE("Future: it ends once", "[futures][threads]") {
    auto const good = successful();
    CHECK_THROWS_AS(good.set_result(2), mp::futures::InvalidStateError);
    CHECK(good.result() == 42);
    auto const bad = failed();
    CHECK_THROWS_AS(bad.set_exception(std::runtime_error("again")),
                    mp::futures::InvalidStateError);
    CHECK_THROWS_AS(bad.result(), std::out_of_range);
}

TEST_CASE("Future: of nothing, and of what cannot be copied", "[futures][threads]") {
    Future<void> nothing;
    nothing.set_result();
    nothing.result();
    CHECK(tail(nothing) == " state=finished returned void>");
    Future<std::unique_ptr<int>> box;
    box.set_result(std::make_unique<int>(3));
    CHECK(*box.result() == 3);
    CHECK_THROWS_AS(box.result(), mp::futures::InvalidStateError);
}
