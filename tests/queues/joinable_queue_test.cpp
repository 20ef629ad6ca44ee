// SPDX-License-Identifier: MIT
// tests/queues/joinable_queue_test.cpp — JoinableQueue: join waits for what is not done, and for
// no dead process.
#include <multiprocessing/context.hpp>
#include <multiprocessing/queues.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/start_methods.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr int stop = -1;

void do_all(mp::JoinableQueue<int> q) {
    for (;;) {
        auto const item = q.get();
        q.task_done();
        if (item == stop) return;
    }
}

void do_through_a_queue(mp::Queue<int> q, mp::JoinableQueue<int> same) {
    q.get();
    same.task_done();
}

/// Gets so many items, tells it, and does nothing about them.
void get_and_wait(mp::JoinableQueue<std::string> q, int items, mp::Queue<int> ready) {
    for (int i = 0; i < items; ++i) q.get();
    ready.put(items);
    for (;;) std::this_thread::sleep_for(1h);
}

void get_and_leave(mp::JoinableQueue<std::string> q) { q.get(); }

/// Each item but 0 puts the next smaller one before it is done.
void count_down(mp::JoinableQueue<int> q) {
    for (;;) {
        auto const item = q.get();
        if (item > 0) q.put(item - 1);
        q.task_done();
        if (item == stop) return;
    }
}

}  // namespace

// CPython: _TestQueue.test_task_done
TEST_CASE("JoinableQueue: join returns once all is done", "[queue][joinable]") {
    auto const ctx = test::each_context();
    auto q = ctx.JoinableQueue<int>();
    std::vector<mp::Process> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(ctx.Process({.daemon = true}, do_all, q));
    for (auto& p : workers) p.start();
    for (int i = 0; i < 10; ++i) q.put(i);
    q.join();
    CHECK(q.empty());
    for (int i = 0; i < 4; ++i) q.put(stop);
    for (auto& p : workers) p.join();
    q.join();
    CHECK_THROWS_AS(q.task_done(), mp::ValueError);
    CHECK_THROWS_WITH(q.task_done(), "task_done() called too many times");
}

TEST_CASE("JoinableQueue: one handle, one thread", "[queue][joinable]") {
    mp::JoinableQueue<std::string> q(2);
    q.join();
    CHECK_THROWS_WITH(q.task_done(), "task_done() called too many times");
    q.put("a");
    q.put("b");
    CHECK(q.full());
    CHECK_THROWS_AS(q.put("c", false), mp::Full);
    CHECK(q.get() == "a");
    CHECK(q.get_many(5) == std::vector<std::string>{"b"});
    CHECK_THROWS_AS(q.get(false), mp::Empty);
    q.task_done();
    q.task_done();
    CHECK_THROWS_AS(q.task_done(), mp::ValueError);
    q.join();
    CHECK_THAT(fmt::format("{}", q),
               ContainsSubstring("<multiprocessing.queues.JoinableQueue object at 0x"));
    q.close();
    CHECK_THROWS_AS(q.put("d"), mp::ValueError);
}

TEST_CASE("JoinableQueue: what is done before it is got counts", "[queue][joinable]") {
    mp::JoinableQueue<int> q;
    q.put(1);
    q.put(2);
    q.task_done();
    q.task_done();
    CHECK_THROWS_AS(q.task_done(), mp::ValueError);
    q.join();
    CHECK(q.get() == 1);
    q.join();
    q.put(3);
    CHECK(q.get() == 2);
    CHECK(q.get() == 3);
    q.task_done();
    CHECK_THROWS_AS(q.task_done(), mp::ValueError);
    q.join();
}

TEST_CASE("JoinableQueue: a copy that is a Queue counts, too", "[queue][joinable]") {
    auto const ctx = test::each_context();
    auto q = ctx.JoinableQueue<int>();
    auto p = ctx.Process(do_through_a_queue, mp::Queue<int>(q), q);
    q.put(1);
    q.put(2);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    mp::Queue<int> plain = q;
    CHECK(plain == q);
    CHECK(plain.get() == 2);
    q.task_done();
    q.join();
}

TEST_CASE("JoinableQueue: join waits for tasks that tasks have put", "[queue][joinable]") {
    auto const ctx = test::each_context();
    auto q = ctx.JoinableQueue<int>();
    std::vector<mp::Process> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(ctx.Process({.daemon = true}, count_down, q));
    for (auto& p : workers) p.start();
    for (int round = 0; round < 5; ++round) {
        q.put(200);
        q.join();
        CHECK(q.empty());  // had it returned between a get and its put, there would be one
    }
    for (int i = 0; i < 3; ++i) q.put(stop);
    for (auto& p : workers) p.join();
}

TEST_CASE("JoinableQueue: items of a killed process do not hold up join", "[queue][joinable]") {
    auto const ctx = test::each_context();
    auto const before = family::at_rest();
    {
        auto q = ctx.JoinableQueue<std::string>();
        auto ready = ctx.Queue<int>();
        auto p = ctx.Process(get_and_wait, q, 2, ready);
        auto other = ctx.Process(get_and_leave, q);
        p.start();
        for (auto const* text : {"a", "b"}) q.put(std::string(300, *text));
        CHECK(ready.get(true, 20s) == 2);
        auto const pid = *p.pid();
        p.kill();
        p.join();
        try {
            q.join();
            FAIL("join returned as if all were done");
        } catch (mp::WorkerLostError const& error) {
            CHECK(error.pid() == pid);
            CHECK(std::string(error.what()) ==
                  fmt::format("process {} ended before it called task_done() for 2 of the items "
                              "that it had got; they are counted as done",
                              pid));
        }
        q.join();  // told once
        CHECK_THROWS_AS(q.task_done(), mp::ValueError);

        q.put("c");
        other.start();
        CHECK_THROWS_AS(q.join(), mp::WorkerLostError);  // it ends while we wait
        other.join();
        CHECK(other.exitcode() == 0);
        q.join();
    }
    CHECK(family::at_rest().blocks == before.blocks);
}

TEST_CASE("JoinableQueue: all who wait hear of a loss", "[queue][joinable]") {
    auto const ctx = test::each_context();
    auto q = ctx.JoinableQueue<std::string>();
    auto ready = ctx.Queue<int>();
    auto p = ctx.Process(get_and_wait, q, 1, ready);
    p.start();
    q.put("a");
    CHECK(ready.get(true, 20s) == 1);
    std::atomic<int> begun = 0, lost = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&, mine = q]() mutable {
            ++begun;
            try {
                mine.join();
            } catch (mp::WorkerLostError const&) { ++lost; }
        });
    CHECK(test::eventually([&] { return begun == 3; }));
    std::this_thread::sleep_for(50ms);  // for them to wait; a late one would hear nothing
    p.kill();
    for (auto& thread : threads) thread.join();
    p.join();
    CHECK(lost == 3);
}

TEST_CASE("JoinableQueue: threads put, get and join", "[queue][joinable][threads]") {
    mp::JoinableQueue<int> q;
    constexpr int each = 2000;
    std::atomic<long> sum = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i)
        workers.emplace_back([q, &sum]() mutable {
            for (;;) {
                auto const item = q.get();
                if (item > 0) sum += item;
                q.task_done();
                if (item == stop) return;
            }
        });
    for (int round = 0; round < 3; ++round) {
        sum = 0;
        for (int i = 1; i <= each; ++i) q.put(i);
        q.join();
        CHECK(sum == long{each} * (each + 1) / 2);
    }
    for (int i = 0; i < 3; ++i) q.put(stop);
    for (auto& thread : workers) thread.join();
    q.join();
}

TEST_CASE("JoinableQueue: the cells of threads that ended serve others", "[queue][joinable]") {
    mp::JoinableQueue<int> q;
    for (int i = 0; i < 1200; ++i) {
        q.put(i);
        std::thread([q]() mutable {
            q.get();
            q.task_done();
        }).join();
    }
    q.join();
}

TEST_CASE("JoinableQueue: is read as what it is", "[queue][joinable]") {
    mp::Queue<mp::JoinableQueue<int>> post;
    mp::JoinableQueue<int> q;
    post.put(q);
    CHECK(post.get() == q);
    auto const read = [](auto const& sent, auto type) {
        mp::HeapCourier courier;
        mp::Writer writer(&courier);
        writer.write(sent);
        auto const message = mp::to_message(writer, courier);
        mp::MessageReader reader(message.header());
        return reader.reader().template read<decltype(type)>();
    };
    CHECK(read(q, mp::Queue<int>()) == q);
    CHECK_THROWS_AS(read(q, mp::JoinableQueue<float>()), mp::UnpicklingError);
    CHECK_THROWS_AS(read(mp::Queue<int>(), mp::JoinableQueue<int>()), mp::UnpicklingError);
    CHECK_THROWS_AS(read(mp::SimpleQueue<int>(), mp::JoinableQueue<int>()), mp::UnpicklingError);
}
