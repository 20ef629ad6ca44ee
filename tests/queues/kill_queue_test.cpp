// SPDX-License-Identifier: MIT
// tests/queues/kill_queue_test.cpp — a process is killed at every instruction of a queue's
// operations.
#include <multiprocessing/queues.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace test::stepper;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mark = 7;

using Small = std::array<std::uint64_t, 8>;

Small small(std::uint64_t value) {
    Small words;
    words.fill(value);
    return words;
}
std::vector<std::uint64_t> large(std::uint64_t value) {
    return std::vector<std::uint64_t>(300, value);
}
template <class Item>
std::uint64_t value_of(Item const& item) {
    expect(!item.empty(), "an empty item");
    for (auto const word : item) expect(word == item[0], "a torn item");
    return item[0];
}

heap::Statistics baseline;

/// Most instructions of the large ones copy, compare and allocate.
template <class Make>
Options options(Make make) {
    auto o = family::stepped();
    o.budget = 12s;
    o.stride = sizeof(make(mark)) == sizeof(Small) ? 1 : 16;
    return o;
}

void begin() {
    heap::sweep_dead();
    baseline = family::at_rest();
}

void expect_nothing_is_left() {
    heap::sweep_dead();
    auto const now = family::at_rest();
    expect(now.hands == 0, "an intent is left");
    expect(now.slots == baseline.slots, "a process slot is left");
    expect(now.blocks == baseline.blocks, "a block is left, or one was lost");
}

/// What a queue of either kind of item is put to in all modes.
template <class Q, class Make>
struct Stage {
    explicit Stage(Make how) : make(how) {}

    Make make;
    std::optional<Q> queue;
    std::vector<std::uint64_t> got;
    std::uint64_t put = 0;  // by the survivors

    void fill(int marks) {
        queue.reset();
        begin();
        queue.emplace();
        got.clear();
        for (int i = 0; i < marks; ++i) queue->put(make(mark));
    }
    /// A victim that is stopped amid a put may hold up the line.
    void take_all(mp::Timeout patience) {
        try {
            for (;;) got.push_back(value_of(queue->get(true, patience)));
        } catch (mp::Empty const&) {}
    }
    std::size_t finish() {
        heap::sweep_dead();
        take_all(mp::Timeout::from_ns(0));
        expect(queue->qsize() == 0 && queue->empty(), "an item is left");
        queue->put(make(1));
        expect(value_of(queue->get(true, 5s)) == 1, "the queue does not work any more");
        std::size_t marks = 0;
        std::uint64_t next = 100;
        for (auto const value : got)
            if (value == mark) ++marks;
            else expect(value == next++, "a survivor's item is lost, doubled or out of order");
        expect(next == 100 + put, "a survivor's item is lost");
        return marks;
    }
    void go_round() {
        for (std::uint64_t i = 0; i < 40; ++i) queue->put(make(100 + put++));
        take_all(mp::Timeout::from_ns(0));
    }
};

template <class Q, class Make>
void kill_put(char const* name, Make make) {
    auto stage = std::make_shared<Stage<Q, Make>>(make);
    Scenario s;
    s.name = name;
    s.setup = [=] {
        stage->fill(0);
        stage->put = 0;
    };
    s.warm_up = s.operation = [=] { stage->queue->put(stage->make(mark)); };
    s.survive = [=] { stage->go_round(); };
    s.check = [=] {
        auto const marks = stage->finish();
        expect(marks == 2 || (marks == 1 && !trial().finished), "a put item is lost, or doubled");
        stage->queue.reset();
        expect_nothing_is_left();
    };
    verify(run(s, options(make)));
}

template <class Q, class Make>
void kill_get(char const* name, Make make) {
    auto stage = std::make_shared<Stage<Q, Make>>(make);
    Scenario s;
    s.name = name;
    s.setup = [=] {
        stage->fill(3);
        stage->put = 0;
    };
    s.warm_up = s.operation = [=] { stage->queue->get(); };
    s.check = [=] {
        auto const marks = stage->finish();
        expect(marks == 1 || (marks == 2 && !trial().finished), "an item is lost, or doubled");
        stage->queue.reset();
        expect_nothing_is_left();
    };
    auto o = options(make);
    o.modes = {Mode::a_kill, Mode::b_stop_then_kill};
    verify(run(s, o));
}

/// How many losses join() reports; it must return.
template <class Q>
std::size_t losses(Q& queue) {
    std::size_t n = 0;
    for (;;) try {
            queue.join();
            return n;
        } catch (mp::WorkerLostError const&) {
            expect(++n < 3, "one loss is reported again and again");
        }
}

template <class Make>
void kill_joinable(char const* name, Make make, bool get, bool done) {
    using Q = mp::JoinableQueue<decltype(make(mark))>;
    auto stage = std::make_shared<Stage<Q, Make>>(make);
    Scenario s;
    s.name = name;
    s.setup = [=] {
        stage->fill(3);
        stage->put = 0;
    };
    s.warm_up = [=] {
        stage->queue->get();
        stage->queue->task_done();
        if (!get) stage->queue->get();
    };
    s.operation = [=] {
        if (get) stage->queue->get();
        if (done) stage->queue->task_done();
    };
    s.check = [=] {
        heap::sweep_dead();
        // The survivors do what is left, and no more.
        std::size_t left = 0;
        try {
            for (;; ++left) {
                expect(value_of(stage->queue->get(true, mp::Timeout::from_ns(0))) == mark, "torn");
                stage->queue->task_done();
            }
        } catch (mp::Empty const&) {}
        auto const lost = losses(*stage->queue);
        expect(left == 1 || (left == 2 && get), "an item is lost, or doubled");
        if (left == 2) expect(lost == 0, "an item that is put again is reported");
        if (left == 1 && !done) expect(lost == 1, "a lost item is not reported");
        if (trial().finished) expect(left == 1 && lost == (done ? 0u : 1u), "what was done counts");
        expect(lost <= 1, "too many losses");
        try {
            stage->queue->task_done();
            expect(false, "more is unfinished than was put");
        } catch (mp::ValueError const&) {}
        stage->queue->put(stage->make(1));
        expect(value_of(stage->queue->get(true, 5s)) == 1, "the queue does not work any more");
        stage->queue->task_done();
        stage->queue->join();
        stage->queue.reset();
        expect_nothing_is_left();
    };
    auto o = options(make);
    o.modes = {Mode::a_kill};
    verify(run(s, o));
}

}  // namespace

TEST_CASE("Queue, killed: put, small and large", "[queue][kill]") {
    kill_put<mp::Queue<Small>>("Queue.put, small", small);
    kill_put<mp::Queue<std::vector<std::uint64_t>>>("Queue.put, large", large);
}

TEST_CASE("Queue, killed: get, small and large", "[queue][kill]") {
    kill_get<mp::Queue<Small>>("Queue.get, small", small);
    kill_get<mp::Queue<std::vector<std::uint64_t>>>("Queue.get, large", large);
}

TEST_CASE("JoinableQueue, killed: get and task_done", "[queue][joinable][kill]") {
    kill_joinable("JoinableQueue.get, small", small, true, false);
    kill_joinable("JoinableQueue.get, large", large, true, false);
    kill_joinable("JoinableQueue.task_done", small, false, true);
    kill_joinable("JoinableQueue.get and task_done", small, true, true);
}
