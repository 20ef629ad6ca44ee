// SPDX-License-Identifier: MIT
// tests/queues/queue_terminations_test.cpp — putters and getters are killed under every start
// method; nothing is torn or doubled, and nothing lost but what died with its getter.
#include <multiprocessing/queues.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "support/terminations.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t was_put = 1, was_got = 2, was_doubled = 4;

/// Every item has a number. A putter takes the next and says when `put` has returned.
struct Items {
    mp::RawValue<std::uint64_t> next{0};
    mp::RawArray<std::uint8_t> state = mp::RawArray<std::uint8_t>(16'000'000);

    std::atomic_ref<std::uint64_t> counter() { return std::atomic_ref(next.value()); }
    std::atomic_ref<std::uint8_t> of(std::uint64_t number) {
        return std::atomic_ref(state[static_cast<std::ptrdiff_t>(number)]);
    }
    std::uint64_t made() { return counter().load(); }
};

std::string text_of(std::uint64_t number) {
    return std::to_string(number) + std::string(number % 5 == 0 ? 700 : number % 80, 'x');
}

void put_many(mp::Queue<std::string> queue, Items items, test::Progress progress) {
    while (!progress.over()) {
        // No more than the getters can take: the queue may be without bounds.
        if (items.made() >= std::min(progress.count() + 5000, std::uint64_t{15'000'000})) {
            std::this_thread::yield();
            continue;
        }
        auto const number = items.counter().fetch_add(1);
        try {
            queue.put(text_of(number), true, 200ms);
            items.of(number).fetch_or(was_put);
        } catch (mp::Full const&) {}
    }
}

void note(std::string const& text, Items& items, test::Progress& progress) {
    auto const number = std::stoull(text);
    if (text != text_of(number)) progress.fault();
    if ((items.of(number).fetch_or(was_got) & was_got) != 0) items.of(number).fetch_or(was_doubled);
    progress.done();
}

void get_many(mp::Queue<std::string> queue, Items items, test::Progress progress) {
    while (!progress.over()) {
        try {
            note(queue.get(true, 200ms), items, progress);
        } catch (mp::Empty const&) {}
    }
}

void kill_putters_and_getters(mp::Context const& ctx, long maxsize) {
    auto queue = ctx.Queue<std::string>(maxsize);
    Items items;
    test::Progress progress;
    auto const putter = [&] { return ctx.Process(put_many, queue, items, progress); };
    auto const getter = [&] { return ctx.Process(get_many, queue, items, progress); };
    auto const killed = test::kill_at_random(progress, {putter, putter, getter, getter}, 30);
    CHECK(test::eventually([] { return test::in_use().slots == 1; }));  // this process's
    try {
        for (;;) note(queue.get(false), items, progress);
    } catch (mp::Empty const&) {}
    CHECK(queue.qsize() == 0);
    CHECK(progress.faults() == 0);
    int lost = 0;
    int doubled = 0;
    for (std::uint64_t number = 0; number < items.made(); ++number) {
        auto const state = items.of(number).load();
        if ((state & (was_put | was_got)) == was_put) ++lost;
        if ((state & was_doubled) != 0) ++doubled;
    }
    CHECK(doubled == 0);
    CHECK(lost <= killed[2] + killed[3]);
}

}  // namespace

TEST_CASE("Queue: putters and getters that are killed at random lose and tear nothing", "[queue]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    kill_putters_and_getters(ctx, 0);
    kill_putters_and_getters(ctx, 20);
    CHECK(test::nothing_left(before));
}
