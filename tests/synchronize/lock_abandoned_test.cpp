// SPDX-License-Identifier: MIT
#include <multiprocessing/synchronize.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "synchronize/stage.hpp"

#include <mutex>
#include <thread>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

/// Waits until the child has ended, without reaping it.
void await_end(family::Child const& child) {
    auto const deadline = std::chrono::steady_clock::now() + 20s;
    while (!mp::heap::is_dead(child.stamp)) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("a child did not end");
        std::this_thread::yield();
    }
}

struct Lines {
    Lines() {
        mp::get_logger().add_handler([this](std::string_view line) { all += line; });
    }
    ~Lines() { mp::get_logger().clear_handlers(); }
    std::string all;
};

}  // namespace

TEMPLATE_TEST_CASE("Lock, RLock: an owner that is killed leaves it to the next",
                   "[lock][rlock][fork]", mp::Lock, mp::RLock) {
    auto const before = family::at_rest();
    {
        Lines lines;
        TestType lock;
        test::Stage stage;
        auto const child = family::start([&] {
            lock.acquire();
            stage.reach(1);
            stage.await(2);
            return 0;
        });
        stage.await(1);
        CHECK_FALSE(lock.acquire(false));

        SECTION("that waits, or is about to") {
            std::thread killer([&] { mp::platform::kill_process(child.pid); });
            CHECK(lock.acquire(true, 20s));
            killer.join();
        }
        SECTION("that comes later") {
            mp::platform::kill_process(child.pid);
            await_end(child);
            CHECK(lock.locked());
            CHECK(lock.acquire(true, 20s));
        }
        SECTION("that does not wait") {
            CHECK(child.kill() != 0);
            CHECK(lock.acquire(false));
        }
        CHECK(lock.abandoned());
        CHECK_FALSE(mp::heap::is_current(child.stamp));
        CHECK_THAT(lines.all,
                   Catch::Matchers::ContainsSubstring("[WARNING/MainProcess] took over a lock"));
        lock.release();
        CHECK_FALSE(lock.abandoned());
        CHECK(lock.acquire(false));
        CHECK_FALSE(lock.abandoned());
        lock.release();
        try {
            child.join();
        } catch (mp::OSError const&) {  // reaped in a section already
        }
    }
    CHECK(family::at_rest() == before);
}

TEMPLATE_TEST_CASE("Lock, RLock: an owner that exits leaves it to the next",
                   "[lock][rlock][fork]", mp::Lock, mp::RLock) {
    TestType lock;
    auto const child = family::start([&] {
        lock.acquire();
        return 0;
    });
    CHECK(child.join() == 0);
    CHECK(lock.locked());
    CHECK_FALSE(lock.abandoned());
    std::unique_lock guard(lock, 20s);
    CHECK(guard.owns_lock());
    CHECK(lock.abandoned());
}

TEST_CASE("Lock: who ended may still be released for", "[lock][fork]") {
    mp::Lock lock;
    auto const child = family::start([&] {
        lock.acquire();
        return 0;
    });
    CHECK(child.join() == 0);
    lock.release();
    CHECK(lock.acquire(false));
    CHECK_FALSE(lock.abandoned());
    lock.release();
}

TEST_CASE("Lock: a late release by another is refused after a takeover", "[lock][fork]") {
    mp::Lock lock;
    test::Stage stage;
    auto const owner = family::start([&] {
        lock.acquire();
        return 0;
    });
    CHECK(owner.join() == 0);
    auto const late = family::start([&] {
        stage.await(1);
        try {
            lock.release();
        } catch (mp::ValueError const&) {
            return 0;
        }
        return 1;
    });
    CHECK(lock.acquire(false));
    stage.reach(1);
    CHECK(late.join() == 0);
    CHECK(lock.locked());
    lock.release();
    CHECK_THROWS_AS(lock.release(), mp::ValueError);
}

TEST_CASE("RLock: a thread that ends leaves it to the next", "[rlock][threads]") {
    mp::RLock lock;
    std::thread([&] { lock.acquire(); }).join();
    CHECK(lock.acquire(true, 20s));
    CHECK(lock.abandoned());
    CHECK(lock.acquire());
    lock.release();
    CHECK(lock.abandoned());
    lock.release();
    CHECK_FALSE(lock.locked());
}

TEST_CASE("RLock: however many threads came since, none passes for an owner that ended",
          "[rlock][threads]") {
    namespace heap = mp::heap;
    for (unsigned const threads : {1u, 1u << 8, 1u << 11, 1u << 16, 1u << 24}) {
        CAPTURE(threads);
        mp::RLock lock;
        std::uint16_t record = 0;
        std::uint64_t state = 0;
        auto const word = [&]() -> heap::Word& {
            return heap::State::instance().arena.record(record).state;
        };
        std::thread([&] {
            lock.acquire();
            record = heap::ThreadRecord::index();
            state = word();
        }).join();
        // As if so many threads had used that record and ended.
        word() = heap::Record::pack(heap::Record::generation(state) + threads, 0, false);
        std::thread([&] {
            CHECK(heap::ThreadRecord::index() == record);
            CHECK(lock.own_depth() == 0);
            CHECK_THROWS_AS(lock.release(), mp::AssertionError);
            CHECK(lock.acquire(false));
            CHECK(lock.abandoned());
            CHECK(lock.own_depth() == 1);
            lock.release();
        }).join();
    }
}

TEST_CASE("Lock: a thread that ends keeps its process's lock", "[lock][threads]") {
    mp::Lock lock;
    std::thread([&] { lock.acquire(); }).join();
    CHECK_FALSE(lock.acquire(true, 30ms));
    lock.release();
}

TEMPLATE_TEST_CASE("Lock, RLock: waiters that are killed do not hold up the others",
                   "[lock][rlock][fork]", mp::Lock, mp::RLock) {
    auto const before = family::at_rest();
    {
        TestType lock;
        test::Stage stage;
        lock.acquire();
        std::vector<family::Child> waiters;
        for (int i = 0; i < 3; ++i)
            waiters.push_back(family::start([&] {
                stage.add();
                lock.acquire();
                lock.release();
                return 0;
            }));
        stage.await(3);
        waiters[0].kill();
        auto const last = family::start([&] {
            if (!lock.acquire(true, 20s) || lock.abandoned()) return 1;
            lock.release();
            return 0;
        });
        waiters[1].kill();
        lock.release();
        CHECK(last.join() == 0);
        CHECK(waiters[2].join() == 0);
        CHECK_FALSE(lock.locked());
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Lock: owners and waiters killed at random", "[lock][threads][fork]") {
    auto const before = family::at_rest();
    {
        mp::Lock lock;
        test::Stage rounds;
        std::vector<family::Child> children;
        auto const start = [&] {
            return family::start([&] {
                for (;;) {
                    std::scoped_lock guard(lock);
                    rounds.add();
                }
                return 0;
            });
        };
        for (int i = 0; i < 3; ++i) children.push_back(start());
        std::uint32_t random = 7;
        for (int kills = 0; kills < 60; ++kills) {
            rounds.await(rounds.now() + 20);
            auto& victim = children[(random = random * 1664525 + 1013904223) >> 16 & 1];
            victim.kill();
            victim = start();
        }
        for (auto const& child : children) child.kill();
        CHECK(lock.acquire(true, 20s));
        lock.release();
    }
    CHECK(family::at_rest() == before);
}
