// SPDX-License-Identifier: MIT
// tests/futures/wait_test.cpp — waiting for several futures.
#include <multiprocessing/futures/wait.hpp>

#include "support/catch.hpp"
#include "support/latch.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
namespace futures = mp::futures;
using futures::Future;
using Futures = std::vector<Future<int>>;
using namespace std::chrono_literals;

namespace {

Future<int> finished(int value = 1) {
    Future<int> f;
    f.set_result(value);
    return f;
}
Future<int> failed() {
    Future<int> f;
    f.set_exception(std::out_of_range("failed"));
    return f;
}
Future<int> cancelled(bool notified) {
    Future<int> f;
    f.cancel();
    if (notified) f.set_running_or_notify_cancel();
    return f;
}

/// Runs `end` in another thread while `look` waits.
template <class End, class Look>
void meanwhile(End end, Look look) {
    test::Latch waiting(1);
    std::thread thread([&] {
        waiting.wait();
        end();
    });
    waiting.count_down();
    look();
    thread.join();
}

}  // namespace

// CPython: WaitTests.test_20369, test_all_completed
TEST_CASE("futures::wait: duplicates count once; it waits for all", "[futures][threads]") {
    Futures const fs{{}, {}};
    auto const twice = Futures{fs[0], fs[1], fs[0], fs[1]};
    meanwhile(
        [&] {
            fs[1].set_result(1);
            fs[0].set_exception(std::out_of_range("one"));
        },
        [&] {
            auto const [done, not_done] = futures::wait(twice);
            CHECK(done == fs);
            CHECK(not_done.empty());
        });
    auto const [done, not_done] = futures::wait(Futures{cancelled(true), finished(), failed()});
    CHECK(done.size() == 3);
    CHECK(not_done.empty());
    CHECK(futures::wait(Futures{}).done.empty());
}

// CPython: WaitTests.test_first_completed, test_first_completed_some_already_completed
TEST_CASE("futures::wait: FIRST_COMPLETED", "[futures][threads]") {
    Future<int> first, never;
    auto const merely = cancelled(false);
    meanwhile([&] { first.set_result(1); },
              [&] {
                  auto const [done, not_done] = futures::wait(
                      Futures{merely, first, never}, {.return_when = futures::FIRST_COMPLETED});
                  CHECK(done == Futures{first});
                  CHECK(not_done == Futures{merely, never});
              });
    auto const told = cancelled(true);
    auto const [done, not_done] =
        futures::wait(Futures{never, told, first}, {.return_when = futures::FIRST_COMPLETED});
    CHECK(done == Futures{told, first});
    CHECK(not_done == Futures{never});
}

// CPython: WaitTests.test_first_exception, test_first_exception_some_already_complete,
// test_first_exception_one_already_failed
TEST_CASE("futures::wait: FIRST_EXCEPTION", "[futures][threads]") {
    Future<int> good, bad, never;
    auto const told = cancelled(true), merely = cancelled(false), before = finished();
    meanwhile(
        [&] {
            good.set_result(1);
            bad.set_exception(std::out_of_range("bad"));
        },
        [&] {
            auto const [done, not_done] =
                futures::wait(Futures{before, told, merely, good, bad, never},
                              {.return_when = futures::FIRST_EXCEPTION});
            CHECK(done == Futures{before, told, good, bad});
            CHECK(not_done == Futures{merely, never});
        });
    auto const already = failed();
    auto const [done, not_done] =
        futures::wait(Futures{already, never}, {.return_when = futures::FIRST_EXCEPTION});
    CHECK(done == Futures{already});
    CHECK(not_done == Futures{never});
}

// CPython: WaitTests.test_timeout
TEST_CASE("futures::wait: the time-out splits them", "[futures][threads]") {
    auto const done_before = finished(), told = cancelled(true), bad = failed();
    Future<int> never;
    auto const [done, not_done] =
        futures::wait(Futures{told, bad, done_before, never}, {.timeout = 10ms});
    CHECK(done == Futures{told, bad, done_before});
    CHECK(not_done == Futures{never});
}

// CPython: AsCompletedTests.test_no_timeout, test_duplicate_futures
TEST_CASE("as_completed: each once, those that have ended first", "[futures][threads]") {
    Future<int> first, second;
    auto const before = finished(), told = cancelled(true);
    Futures order;
    meanwhile(
        [&] {
            second.set_result(2);
            first.set_result(1);
        },
        [&] {
            for (auto const& f :
                 futures::as_completed(Futures{first, told, first, second, before, first}))
                order.push_back(f);
        });
    REQUIRE(order.size() == 4);
    CHECK(std::count(order.begin(), order.end(), first) == 1);
    CHECK(std::count(order.begin(), order.end(), second) == 1);
    CHECK(std::find(order.begin(), order.end(), told) <
          std::find(order.begin(), order.end(), before));
}

// CPython: AsCompletedTests.test_future_times_out, test_correct_timeout_exception_msg
TEST_CASE("as_completed: the time-out tells how many are unfinished", "[futures][threads]") {
    for (auto const timeout : {0ms, 20ms}) {
        Future<int> never;
        Futures seen;
        std::string text;
        try {
            for (auto const& f :
                 futures::as_completed(Futures{finished(), cancelled(true), never}, timeout))
                seen.push_back(f);
        } catch (mp::TimeoutError const& error) {
            text = error.what();
        }
        CHECK(text == "1 (of 3) futures unfinished");
        CHECK(seen.size() == 2);
    }
}

// CPython: AsCompletedTests.test_free_reference_yielded_future
TEST_CASE("as_completed: nothing keeps a future that was given out", "[futures][threads]") {
    Futures fs{finished(1), finished(2)};
    std::vector<std::weak_ptr<futures::detail::TypedCore<int>>> weak;
    for (auto const& f : fs) weak.push_back(f.core());
    auto completed = futures::as_completed(fs);
    fs.clear();
    auto at = completed.begin();
    CHECK_FALSE(weak[0].expired());
    ++at;
    CHECK(weak[0].expired());
    ++at;
    CHECK(weak[1].expired());
    CHECK(at == completed.end());
}
