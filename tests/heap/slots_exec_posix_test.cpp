// SPDX-License-Identifier: MIT
// tests/heap/slots_exec_posix_test.cpp — a process that replaced its program is dead to the
// tree. Windows has no exec.
#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/stage.hpp"

#include <chrono>

#include <unistd.h>

namespace mp = multiprocessing;
using namespace mp::heap;
using namespace std::chrono_literals;

namespace {

/// A pipe that `cat` reads: a process that lives for as long as the test wants.
struct Feed {
    Feed() {
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    }
    ~Feed() {
        ::close(ends[0]);
        end();
    }
    void end() {
        if (ends[1] >= 0) ::close(ends[1]);
        ends[1] = -1;
    }
    /// In a child. Everything it had stays open but for what is marked close-on-exec.
    [[noreturn]] void become_cat() const {
        ::dup2(ends[0], 0);
        ::close(ends[1]);
        ::execl("/bin/cat", "cat", static_cast<char*>(nullptr));
        ::_exit(98);
    }
    /// The same, and nothing of the tree's is left open.
    void close_all_and_wait() const {
        char byte = 0;
        for (int fd = 3; fd < 1024; ++fd)
            if (fd != ends[0]) ::close(fd);
        while (::read(ends[0], &byte, 1) > 0) {}
    }
    int ends[2];
};

template <class Condition>
bool comes_true(Condition condition) {
    mp::Deadline const deadline{mp::Timeout(20s)};
    while (!condition()) {
        if (deadline.expired()) return false;
        std::this_thread::yield();
    }
    return true;
}

}  // namespace

TEST_CASE("Exec: what a process held when it replaced its program is recovered", "[heap][fork]") {
    auto const before = family::at_rest();
    {
        Feed feed;
        mp::Lock lock;
        test::Stage stage;
        auto const object = Shared::make(Kind::plain, 0, 8, [](std::byte*) {});
        auto const child = family::start([&] {
            lock.acquire();
            auto message = new_message(1, 500);
            link(message.header(), 0, object);
            stage.reach(1);
            feed.become_cat();
            return 0;
        });
        stage.await(1);
        CHECK(lock.acquire(true, 20s));
        CHECK(lock.abandoned());
        lock.release();
        CHECK(comes_true([&] { return sweep_dead() || !is_current(child.stamp); }));
        CHECK(is_dead(child.stamp));
        CHECK(Stamp::count(object.header().references) == 1);
        // The program that it became is alive all the same, and ends when it likes.
        CHECK(mp::platform::liveness(mp::platform::identity_of(child.pid)) ==
              mp::platform::Liveness::alive);
        CHECK_FALSE(mp::platform::wait_process(child.pid, 0));
        feed.end();
        CHECK(mp::platform::wait_process(child.pid, 20'000'000'000) == 0);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Exec: whoever waits for the lock gets it without a sweep by others", "[heap][fork]") {
    auto const before = family::at_rest();
    {
        Feed feed;
        mp::RLock lock;
        test::Stage stage;
        auto const child = family::start([&] {
            lock.acquire();
            stage.reach(1);
            stage.await(2);
            feed.become_cat();
            return 0;
        });
        stage.await(1);
        CHECK_FALSE(lock.acquire(true, 50ms));  // not dead before it is another program
        CHECK_FALSE(is_dead(child.stamp));
        stage.reach(2);
        CHECK(lock.acquire(true, 20s));
        CHECK(lock.abandoned());
        lock.release();
        feed.end();
        CHECK(child.join() == 0);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Exec: a process that closed all its descriptors is alive", "[heap][fork]") {
    Feed feed;
    mp::Lock lock;
    test::Stage stage;
    auto const child = family::start([&] {
        lock.acquire();
        feed.end();
        stage.reach(1);
        feed.close_all_and_wait();
        if (stage.now() != 1) return 1;  // the memory is still there
        lock.release();
        return 7;
    });
    stage.await(1);
    for (int i = 0; i < 50; ++i) {
        CHECK_FALSE(is_dead(child.stamp));
        sweep_dead();
        CHECK_FALSE(lock.acquire(false));
    }
    feed.end();
    CHECK(child.join() == 7);
    CHECK(lock.acquire(false));
    CHECK_FALSE(lock.abandoned());
    lock.release();
}

TEST_CASE("Exec: one that was started but has not begun is alive", "[heap][fork]") {
    ChildSlot slot{"not begun"};
    CHECK_FALSE(is_dead(slot.stamp()));
    CHECK_FALSE(sweep(slot.stamp()));
    CHECK(is_current(slot.stamp()));
}

TEST_CASE("left_memory: what cannot be found out is no", "[heap]") {
    namespace platform = mp::platform;
    auto& memory = State::instance().arena.memory();
    auto const me = platform::this_process();
    CHECK_FALSE(platform::left_memory(me, memory.handle(), memory.handle()));
    CHECK_FALSE(platform::left_memory(me, 0, memory.handle()));
    CHECK_FALSE(platform::left_memory(me, -1, memory.handle()));
    CHECK_FALSE(platform::left_memory({me.pid, 0}, 0, memory.handle()));
    CHECK_FALSE(platform::left_memory({me.pid, me.start_time ^ std::uint64_t{1} << 50}, 0,
                                      memory.handle()));  // of another namespace
    CHECK_FALSE(platform::left_memory({0, me.start_time}, 0, memory.handle()));
    CHECK_FALSE(platform::left_memory(me, memory.handle(), -1));
}
