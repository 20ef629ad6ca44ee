// SPDX-License-Identifier: MIT
#include <multiprocessing/synchronize/event.hpp>

#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/crew.hpp"
#include "synchronize/stage.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

void set_event(mp::Event event, mp::Event go) {
    go.wait();
    event.set();
}

void wait_for_event(mp::Event event, mp::Semaphore ready, mp::Semaphore woken) {
    ready.release();
    if (!event.wait()) throw std::runtime_error("wait returned without a set");
    woken.release();
}

/// Sets `theirs` and waits for `mine`, in turns.
void play(mp::Event mine, mp::Event theirs, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        if (!mine.wait(20s)) throw std::runtime_error("a set was lost");
        mine.clear();
        theirs.set();
    }
}

}  // namespace

// CPython: _TestEvent.test_event
TEST_CASE("Event: wait returns the flag, and when another sets it", "[event][threads]") {
    auto crew = test::each_crew();
    mp::Event event, go;
    CHECK_FALSE(event.is_set());
    CHECK_FALSE(event.wait(0s));
    auto const begin = std::chrono::steady_clock::now();
    CHECK_FALSE(event.wait(30ms));
    CHECK(std::chrono::steady_clock::now() - begin >= 30ms);
    event.set();
    event.set();
    CHECK(event.is_set());
    CHECK(event.wait());
    CHECK(event.wait(0s));
    CHECK(event.wait(1h));
    event.clear();
    event.clear();
    CHECK_FALSE(event.is_set());
    crew.start_one(set_event, event, go);
    go.set();
    CHECK(event.wait());
    CHECK(crew.join() == 0);
}

// CPython: _TestEvent.test_repr
TEST_CASE("Event: its text says whether it is set", "[event][threads]") {
    mp::Event event;
    using Catch::Matchers::ContainsSubstring;
    auto const text = fmt::format("{}", event);
    CHECK(text.starts_with("<Event at 0x"));
    CHECK(text.ends_with(" unset>"));
    event.set();
    CHECK(fmt::format("{:r}", event).ends_with(" set>"));
    event.clear();
    CHECK(fmt::format("{:r}", event) == text);
}

TEST_CASE("Event: all who wait are woken, even if it is cleared at once", "[event][threads]") {
    auto crew = test::each_crew();
    mp::Event event;
    mp::Semaphore ready(0), woken(0);
    crew.start(4, wait_for_event, event, ready, woken);
    for (int i = 0; i < 4; ++i) REQUIRE(ready.acquire(true, 20s));
    CHECK_FALSE(woken.acquire(true, 30ms));  // by now they wait
    event.set();
    event.clear();
    for (int i = 0; i < 4; ++i) CHECK(woken.acquire(true, 20s));
    CHECK_FALSE(event.is_set());
    CHECK(crew.join() == 0);
}

TEST_CASE("Event: two in turns lose no set", "[event][threads]") {
    auto crew = test::each_crew();
    mp::Event a, b;
    crew.start_one(play, a, b, 2000);
    a.set();
    play(b, a, 2000);
    CHECK(crew.join() == 0);
}

TEST_CASE("Event: works on when a waiter or a setter is killed", "[event][fork]") {
    auto const before = family::at_rest();
    {
        mp::Event event;
        test::Stage stage;
        std::vector<family::Child> children;
        for (int i = 0; i < 3; ++i)
            children.push_back(family::start([&] {
                stage.add();
                return event.wait() ? 0 : 1;
            }));
        stage.await(3);
        children[0].kill();
        auto const setter = family::start([&] {
            for (;;) {
                event.set();
                event.clear();
                stage.add();
            }
            return 0;
        });
        stage.await(10);
        setter.kill();
        event.set();
        CHECK(children[1].join() == 0);
        CHECK(children[2].join() == 0);
        CHECK(event.wait());
        CHECK_THROWS_AS(mp::Event::from(mp::Semaphore().shared()), mp::UnpicklingError);
    }
    CHECK(family::at_rest() == before);
}
