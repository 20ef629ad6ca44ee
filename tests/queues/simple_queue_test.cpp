// SPDX-License-Identifier: MIT
// tests/queues/simple_queue_test.cpp — SimpleQueue: put, get, empty, close.
#include <multiprocessing/context.hpp>
#include <multiprocessing/queues.hpp>
#include <multiprocessing/synchronize.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

void put_two(mp::SimpleQueue<bool> q, mp::Event child_can_start, mp::Event parent_can_continue) {
    child_can_start.wait();
    q.put(true);
    q.put(false);
    parent_can_continue.set();
}

}  // namespace

// CPython: TestSimpleQueue.test_empty
TEST_CASE("SimpleQueue: empty in parent and child", "[queue][simple_queue]") {
    auto const ctx = test::each_context();
    auto q = ctx.SimpleQueue<bool>();
    auto const child_can_start = ctx.Event(), parent_can_continue = ctx.Event();
    auto p = ctx.Process({.daemon = true}, put_two, q, child_can_start, parent_can_continue);
    p.start();
    CHECK(q.empty());
    child_can_start.set();
    CHECK(parent_can_continue.wait(20s));
    CHECK_FALSE(q.empty());
    CHECK(q.get());
    CHECK_FALSE(q.get());
    CHECK(q.empty());
    p.join();
}

// CPython: TestSimpleQueue.test_empty_exceptions, test_close, test_closed
TEST_CASE("SimpleQueue: a closed one refuses everything", "[queue][simple_queue]") {
    mp::SimpleQueue<std::string> q;
    auto copy = q;
    q.close();
    q.close();
    for (auto* closed : {&q, &copy}) {
        CHECK_THROWS_AS(closed->empty(), mp::OSError);
        CHECK_THROWS_WITH(closed->empty(), ContainsSubstring("is closed"));
        CHECK_THROWS_AS(closed->put("a"), mp::OSError);
        CHECK_THROWS_AS(closed->get(), mp::OSError);
    }
}

TEST_CASE("SimpleQueue: large and small, in order, in queues", "[queue][simple_queue]") {
    mp::SimpleQueue<std::string> q;
    for (std::size_t n = 0; n < 2000; n += 13) q.put(std::string(n, 'x'));
    for (std::size_t n = 0; n < 2000; n += 13) CHECK(q.get() == std::string(n, 'x'));
    mp::SimpleQueue<mp::SimpleQueue<std::string>> post;
    post.put(q);
    auto const got = post.get();
    CHECK(got == q);
    CHECK(fmt::format("{}", got) == fmt::format("{:r}", q));
    CHECK_THAT(fmt::format("{}", q),
               ContainsSubstring("<multiprocessing.queues.SimpleQueue object"));
}
