// SPDX-License-Identifier: MIT
// tests/queues/queue_test.cpp — Queue<T>: what Python's tests ask of it, and what only C++ can get
// wrong.
#include <multiprocessing/queues.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/relative.hpp"

#include <chrono>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace std::chrono_literals;

namespace {

struct Order {
    int number = 0;
    double price = 0;
    bool operator==(Order const&) const = default;
};

struct Letter {
    std::string to;
    std::vector<std::string> pages;
    bool operator==(Letter const&) const = default;
};

struct Request {
    int number = 0;
    mp::Queue<int> reply;
};

struct Bad {
    int value = 0;
};

struct Wide {
    std::array<std::byte, 200> bytes;
    bool operator==(Wide const&) const = default;
};

template <class F>
double seconds(F f) {
    auto const start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

template <>
struct mp::pickle<Bad> {
    static void dump(Writer& writer, Bad const& bad) {
        if (bad.value < 0) throw PicklingError("a bad one");
        writer.write(bad.value);
    }
    static Bad load(Reader& reader) {
        Bad bad{reader.read<int>()};
        if (bad.value == 13) throw UnpicklingError("unlucky");
        return bad;
    }
};

// CPython: _TestQueue.test_put
TEST_CASE("Queue: put waits for room, or throws Full", "[queue]") {
    mp::Queue<int> queue(6);
    CHECK(queue.empty());
    CHECK_FALSE(queue.full());
    queue.put(1);
    queue.put(2, true);
    queue.put(3, true, std::nullopt);
    queue.put(4, false);
    queue.put(5, false, std::nullopt);
    queue.put_nowait(6);
    CHECK_FALSE(queue.empty());
    CHECK(queue.full());
    CHECK_THROWS_AS(queue.put(7, false), mp::Full);
    CHECK_THROWS_AS(queue.put(7, false, std::nullopt), mp::Full);
    CHECK_THROWS_AS(queue.put_nowait(7), mp::Full);
    CHECK_THROWS_AS(queue.put(7, false, 10s), mp::Full);
    CHECK_THROWS_AS(queue.put(7, true, 0s), mp::Full);
    CHECK_THROWS_AS(queue.put(7, true, -1s), mp::Full);
    auto const waited = seconds([&] { CHECK_THROWS_AS(queue.put(7, true, 60ms), mp::Full); });
    CHECK(waited >= 0.06);
    auto const get_all = [](mp::Queue<int> from) {
        for (int i = 1; i <= 6; ++i)
            if (from.get() != i) return 1;
        return 0;
    };
    auto const child = test::start(get_all, queue);
    queue.put(7);
    CHECK(child.join() == 0);
    CHECK(queue.get() == 7);
    CHECK(queue.empty());
}

// CPython: _TestQueue.test_get
TEST_CASE("Queue: get waits for an item, or throws Empty", "[queue]") {
    mp::Queue<int> queue;
    auto const put_all = [](mp::Queue<int> to) {
        for (int i = 2; i <= 5; ++i) to.put(i);
        return 0;
    };
    auto const child = test::start(put_all, queue);
    CHECK(queue.get(true, std::nullopt) == 2);
    CHECK(queue.get(true) == 3);
    CHECK(queue.get(true, 20s) == 4);
    CHECK(child.join() == 0);
    CHECK(queue.get_nowait() == 5);
    CHECK(queue.empty());
    CHECK_THROWS_AS(queue.get(false), mp::Empty);
    CHECK_THROWS_AS(queue.get(false, std::nullopt), mp::Empty);
    CHECK_THROWS_AS(queue.get_nowait(), mp::Empty);
    CHECK_THROWS_AS(queue.get(false, 10s), mp::Empty);
    CHECK_THROWS_AS(queue.get(true, 0s), mp::Empty);
}

// CPython: _TestQueue.test_timeout
TEST_CASE("Queue: get with a time-out waits about that long", "[queue]") {
    mp::Queue<int> queue;
    auto const waited = seconds([&] { CHECK_THROWS_AS(queue.get(true, 200ms), mp::Empty); });
    CHECK(waited >= 0.2);
    CHECK(waited < 10);
}

// CPython: _TestQueue.test_fork
TEST_CASE("Queue: a child of a process that has put goes on putting", "[queue]") {
    mp::Queue<int> queue;
    for (int i = 0; i < 10; ++i) queue.put(i);
    auto const put_more = [](mp::Queue<int> to) {
        for (int i = 10; i < 20; ++i) to.put(i);
        return 0;
    };
    auto const child = test::start(put_more, queue);
    CHECK(child.join() == 0);
    for (int i = 0; i < 20; ++i) CHECK(queue.get() == i);
    CHECK_THROWS_AS(queue.get(false), mp::Empty);
}

// CPython: _TestQueue.test_qsize
TEST_CASE("Queue: qsize counts what was put and not yet got", "[queue]") {
    mp::Queue<std::string> queue;
    CHECK(queue.qsize() == 0);
    queue.put("1");
    CHECK(queue.qsize() == 1);
    queue.put("5");
    CHECK(queue.qsize() == 2);
    queue.get();
    CHECK(queue.qsize() == 1);
    queue.get();
    CHECK(queue.qsize() == 0);
}

// CPython: _TestQueue.test_queue_feeder_donot_stop_onexc
TEST_CASE("Queue: an item that cannot be pickled is not put and takes no room", "[queue]") {
    mp::Queue<Bad> queue(1);
    CHECK_THROWS_AS(queue.put({-1}), mp::PicklingError);
    CHECK(queue.qsize() == 0);
    queue.put({1});
    CHECK(queue.full());
    CHECK(queue.get().value == 1);
}

TEST_CASE("Queue: an item that cannot be unpickled is gone, the queue goes on", "[queue]") {
    mp::Queue<Bad> queue(2);
    queue.put({13});
    queue.put({1});
    CHECK_THROWS_AS(queue.get(), mp::UnpicklingError);
    CHECK(queue.get().value == 1);
}

// CPython: _TestQueue.test_closed_queue_empty_exceptions
TEST_CASE("Queue: empty of a closed queue works only if it was never put into", "[queue]") {
    mp::Queue<std::string> unused;
    unused.close();
    CHECK(unused.empty());
    mp::Queue<std::string> used;
    used.put("foo");
    used.close();
    used.join_thread();
    CHECK_THROWS_AS(used.empty(), mp::OSError);
    CHECK_THROWS_WITH(used.empty(), Catch::Matchers::ContainsSubstring("is closed"));
}

// CPython: _TestQueue.test_closed_queue_put_get_exceptions
TEST_CASE("Queue: a closed queue refuses put and get with ValueError", "[queue]") {
    mp::Queue<std::string> queue;
    auto const copy = queue;
    CHECK_THROWS_AS(queue.join_thread(), mp::AssertionError);
    queue.close();
    queue.close();
    queue.join_thread();
    queue.cancel_join_thread();
    CHECK_THROWS_AS(queue.put("foo"), mp::ValueError);
    CHECK_THROWS_WITH(queue.get(), Catch::Matchers::ContainsSubstring("is closed"));
    CHECK_THROWS_AS(mp::Queue(copy).put("foo"), mp::ValueError);
}

TEST_CASE("Queue: what was put before close reaches another process", "[queue]") {
    mp::Queue<int> queue;
    mp::Queue<int> done;
    queue.put(5);
    queue.close();
    mp::Queue<mp::Queue<int>> post;
    post.put(queue);
    CHECK(post.get().get() == 5);  // a handle of its own, which nobody closed
}

TEST_CASE("Queue: types of all sizes arrive as they were", "[queue]") {
    auto const before = family::at_rest();
    {
        mp::Queue<Order> orders;
        orders.put({3, 2.5});
        CHECK(orders.get() == Order{3, 2.5});

        mp::Queue<Wide> wide;
        Wide w{};
        w.bytes.back() = std::byte{9};
        wide.put(w);
        CHECK(wide.get() == w);

        mp::Queue<Letter> letters;
        Letter const small{"a", {}};
        Letter const large{"b",
                           std::vector<std::string>(500, "a page of a letter, and no short one")};
        letters.put(small);
        letters.put(large);
        letters.put({});
        CHECK(letters.get() == small);
        CHECK(letters.get() == large);
        CHECK(letters.get() == Letter{});

        mp::Queue<std::string> texts;
        for (std::size_t n = 0; n < 3000; n += 7) texts.put(std::string(n, 'x'));
        for (std::size_t n = 0; n < 3000; n += 7) CHECK(texts.get() == std::string(n, 'x'));

        mp::Queue<std::map<std::string, std::vector<int>>> maps;
        maps.put({{"one", {1}}, {"none", {}}});
        CHECK(maps.get().at("one") == std::vector{1});
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Queue: huge items", "[queue]") {
    auto const before = family::at_rest();
    {
        mp::Queue<std::vector<int>> queue;
        std::vector<int> numbers(16 << 20);  // 64 MiB
        std::iota(numbers.begin(), numbers.end(), 0);
        auto const send_back = [](mp::Queue<std::vector<int>> both, std::size_t expected) {
            auto got = both.get();
            both.put(got);
            return got.size() == expected ? 0 : 1;
        };
        auto const child = test::start(send_back, queue, numbers.size());
        queue.put(numbers);
        CHECK(child.join() == 0);
        CHECK(queue.get() == numbers);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Queue: queues travel through queues, alone and in structs", "[queue]") {
    auto const before = family::at_rest();
    {
        mp::Queue<Request> requests;
        auto const serve = [](mp::Queue<Request> from) {
            for (;;) {
                auto request = from.get();
                if (request.number == 0) return 0;
                request.reply.put(request.number * 2);
            }
        };
        auto const server = test::start(serve, requests);
        for (int i = 1; i <= 20; ++i) {
            mp::Queue<int> reply;
            requests.put({i, reply});
            CHECK(reply.get() == i * 2);
        }
        requests.put({0, mp::Queue<int>()});
        CHECK(server.join() == 0);

        mp::Queue<mp::Queue<int>> post;
        mp::Queue<int> one;
        post.put(one);
        CHECK(post.get() == one);
        post.put(one);
        post.put(mp::Queue<int>());  // only the message keeps it alive; then both die in the queue
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Queue: a handle of another type, or another object, is an UnpicklingError", "[queue]") {
    mp::Queue<int> numbers;
    mp::HeapCourier courier;
    mp::Writer writer(&courier);
    writer.write(numbers);
    auto const message = mp::to_message(writer, courier);
    auto const read = [&](auto type) {
        mp::MessageReader reader(message.header());
        return reader.reader().read<decltype(type)>();
    };
    CHECK(read(mp::Queue<int>()) == numbers);
    CHECK_THROWS_AS(read(mp::Queue<float>()), mp::UnpicklingError);
    CHECK_THROWS_AS(read(mp::Queue<std::string>()), mp::UnpicklingError);

    mp::HeapCourier other;
    auto const plain = heap::Shared::make(heap::Kind::plain, 0, 800, [](std::byte*) {});
    mp::Writer lies(&other);
    lies.handle(plain);
    auto const lie = mp::to_message(lies, other);
    mp::MessageReader reader(lie.header());
    CHECK_THROWS_AS(reader.reader().read<mp::Queue<int>>(), mp::UnpicklingError);
    CHECK_THROWS_AS(mp::dumps(numbers), mp::PicklingError);
}

TEST_CASE("Queue: a queue that is destroyed frees what is in it", "[queue]") {
    auto const before = family::at_rest();
    {
        mp::Queue<std::string> texts;
        mp::Queue<mp::Queue<std::string>> queues;
        for (int i = 0; i < 1200; ++i) texts.put(std::string(static_cast<std::size_t>(i), 'x'));
        queues.put(texts);
        for (int i = 0; i < 5; ++i) texts.get();
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Queue: many at once", "[queue]") {
    mp::Queue<int> queue;
    queue.put_many(std::vector{1, 2, 3, 4, 5});
    CHECK(queue.get_many(3) == std::vector{1, 2, 3});
    CHECK(queue.get_many(10) == std::vector{4, 5});
    CHECK(queue.get_many(0).empty());
    CHECK_THROWS_AS(queue.get_many(1, 0s), mp::Empty);
    mp::Queue<int> bounded(2);
    CHECK_THROWS_AS(bounded.put_many(std::vector{1, 2, 3}, 0s), mp::Full);
    CHECK(bounded.qsize() == 2);
}

TEST_CASE("Queue: a bound of 0 or less is none", "[queue]") {
    for (long const maxsize : {0L, -1L}) {
        mp::Queue<int> queue(maxsize);
        for (int i = 0; i < 2000; ++i) queue.put(i, false);
        CHECK_FALSE(queue.full());
        CHECK(queue.qsize() == 2000);
    }
}

TEST_CASE("Queue: every producer's items keep their order, four processes to four", "[queue]") {
    auto const before = family::at_rest();
    {
        auto const maxsize = GENERATE(0, 5);
        constexpr int processes = 4;
        constexpr int each = 5000;
        mp::Queue<std::pair<int, int>> queue(maxsize);
        using Numbered = mp::Queue<std::pair<int, int>>;
        auto const produce = [](Numbered to, int me) {
            for (int i = 0; i < each; ++i) to.put({me, i});
            return 0;
        };
        auto const consume = [](Numbered from) {
            std::vector<int> last(processes, -1);
            for (int i = 0; i < each; ++i) {
                auto const [who, number] = from.get();
                if (number <= last[static_cast<std::size_t>(who)]) return 1;
                last[static_cast<std::size_t>(who)] = number;
            }
            return 0;
        };
        std::vector<test::Relative> children;
        for (int p = 0; p < processes; ++p) {
            children.push_back(test::start(produce, queue, p));
            children.push_back(test::start(consume, queue));
        }
        for (auto const& child : children) CHECK(child.join() == 0);
        CHECK(queue.empty());
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Queue: killed getters and putters hold up nobody", "[queue]") {
    auto const before = family::at_rest();
    {
        mp::Queue<int> queue, ready;
        auto const get_for_ever = [](mp::Queue<int> from, mp::Queue<int> done) {
            for (;;) done.put(from.get());
            return 0;
        };
        auto const put_for_ever = [](mp::Queue<int> to, mp::Queue<int> done) {
            for (int i = 0;; ++i) {
                to.put(i);
                if (i == 100) done.put(i);
            }
            return 0;
        };
        auto const idle = test::start(get_for_ever, queue, ready);
        queue.put(1);
        CHECK(ready.get(true, 20s) == 1);
        CHECK(idle.kill() < 0);  // while it waits for the next one
        queue.put(2);
        CHECK(queue.get(true, 20s) == 2);
        for (int round = 0; round < 3; ++round) {
            auto const putter = test::start(put_for_ever, queue, ready);
            CHECK(ready.get(true, 20s) == 100);
            CHECK(putter.kill() < 0);  // amid its work
            queue.put(-1);
            int last = -1;
            for (int got = queue.get(true, 20s); got != -1; got = queue.get(true, 20s)) {
                CHECK(got == last + 1);
                last = got;
            }
            CHECK(last >= 100);
            CHECK(queue.empty());
        }
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Queue: its text names it, in every process the same", "[queue]") {
    mp::Queue<int> const queue;
    auto const text = fmt::format("{}", queue);
    CHECK(text.starts_with("<multiprocessing.queues.Queue object at 0x"));
    CHECK(fmt::format("{:r}", queue) == text);
    CHECK(fmt::format("{}", mp::Queue<int>()) != text);
    auto const compare = [](mp::Queue<int> received, std::string expected) {
        return fmt::format("{}", received) == expected ? 0 : 1;
    };
    auto const child = test::start(compare, queue, text);
    CHECK(child.join() == 0);
}

TEST_CASE("Queue: threads share one handle", "[queue][threads]") {
    mp::Queue<std::string> queue(20);
    std::atomic<std::size_t> bytes{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (std::size_t i = 0; i < 3000; ++i) queue.put(std::string(i % 300, 'x'));
        });
        threads.emplace_back([&] {
            for (int i = 0; i < 3000; ++i) bytes += queue.get().size();
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(bytes == 3 * 10 * (299 * 300 / 2));
    CHECK(queue.empty());
}
