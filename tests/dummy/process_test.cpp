// SPDX-License-Identifier: MIT
// tests/dummy/process_test.cpp — threads behind the API of processes.
#include <multiprocessing/dummy.hpp>

#include "support/catch.hpp"
#include "support/latch.hpp"

#include <memory>
#include <string>
#include <vector>

namespace mp = multiprocessing;
namespace dummy = mp::dummy;
using namespace std::chrono_literals;

TEST_CASE("dummy::Process: a thread that is started once and joined", "[dummy][threads]") {
    test::Latch go(1);
    int result = 0;
    dummy::Process p({.name = "worker"}, [&](int a, std::string b) {
        go.wait();
        result = a + static_cast<int>(b.size());
    }, 1, "two");
    CHECK(p.name() == "worker");
    CHECK_FALSE(p.is_alive());
    CHECK_FALSE(p.exitcode());
    CHECK_THROWS_AS(p.join(), mp::AssertionError);
    p.start();
    CHECK_THROWS_AS(p.start(), mp::AssertionError);
    CHECK(p.is_alive());
    CHECK(dummy::active_children() == std::vector{p});
    CHECK_FALSE(p.join(1ms));
    go.count_down();
    CHECK(p.join());
    CHECK(result == 4);
    CHECK(p.exitcode() == 0);
    CHECK_FALSE(p.is_alive());
    CHECK(dummy::active_children().empty());
}

TEST_CASE("dummy::Process: only its maker starts it", "[dummy][threads]") {
    dummy::Process inner([] {});
    bool refused = false;
    dummy::Process outer([&] {
        try {
            inner.start();
        } catch (mp::RuntimeError const&) {
            refused = true;
        }
    });
    outer.start();
    outer.join();
    CHECK(refused);
}

TEST_CASE("dummy::Queue: hands objects over, within bounds", "[dummy][threads]") {
    dummy::Queue<std::unique_ptr<int>> queue(2);
    queue.put(std::make_unique<int>(1));
    queue.put_nowait(std::make_unique<int>(2));
    CHECK(queue.full());
    CHECK_THROWS_AS(queue.put(nullptr, true, 1ms), mp::Full);
    CHECK(*queue.get() == 1);
    CHECK(*queue.get_nowait() == 2);
    CHECK(queue.empty());
    CHECK_THROWS_AS(queue.get(true, 1ms), mp::Empty);
    dummy::Process worker([queue] {
        queue.task_done();
        queue.task_done();
    });
    worker.start();
    queue.join();
    worker.join();
    CHECK_THROWS_AS(queue.task_done(), mp::ValueError);
}

TEST_CASE("dummy::Pipe: both ways", "[dummy][threads]") {
    auto const [parent, child] = dummy::Pipe<std::string>();
    dummy::Process echo([end = child] { end.send(end.recv() + "!"); });
    echo.start();
    CHECK_FALSE(parent.poll());
    parent.send("hello");
    CHECK(parent.poll(20s));
    CHECK(parent.recv() == "hello!");
    echo.join();
}

TEST_CASE("dummy: values, locks and a pool that any function may use", "[dummy][threads]") {
    dummy::freeze_support();
    dummy::Value<int> total(0);
    dummy::Array<int> numbers(std::vector{1, 2, 3});
    dummy::Lock lock;
    dummy::Pool pool(4);
    pool.map([&](int x) {
        std::scoped_lock guard(lock);
        total.value() += x;
    }, numbers);
    CHECK(total.value() == 6);
    CHECK(numbers.size() == 3);
    CHECK(numbers[2] == 3);
}
