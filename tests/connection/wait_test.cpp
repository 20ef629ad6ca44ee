// SPDX-License-Identifier: MIT
// tests/connection/wait_test.cpp — waiting for several connections and processes at once.
#include <multiprocessing.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

using Numbered = std::pair<int, std::int64_t>;

void send_numbers(mp::Connection<Numbered> writer, bool slow, mp::Connection<Numbered> own_reader) {
    own_reader.close();
    std::mt19937 random(static_cast<unsigned>(mp::current_process().pid().value()));
    for (int i = 0; i < 10; ++i) {
        if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 10));
        writer.send({i, mp::current_process().pid().value()});
    }
    writer.close();
}

void wait_for_all(mp::Context ctx, bool slow) {
    std::vector<mp::Connection<Numbered>> readers;
    std::vector<mp::Process> processes;
    for (int i = 0; i < 4; ++i) {
        auto [reader, writer] = mp::Pipe<Numbered>({.duplex = false});
        readers.push_back(reader);
        processes.push_back(ctx.Process({.daemon = true}, send_numbers, writer, slow, reader));
        processes.back().start();
        writer.close();
    }
    std::vector<Numbered> messages;
    while (!readers.empty()) {
        for (auto& reader : mp::connection::wait(readers)) {
            try {
                messages.push_back(reader.recv());
            } catch (mp::EOFError const&) {
                std::erase(readers, reader);
            }
        }
    }
    std::vector<Numbered> expected;
    for (auto& process : processes) {
        for (int i = 0; i < 10; ++i) expected.emplace_back(i, process.pid().value());
        process.join();
    }
    std::sort(messages.begin(), messages.end());
    std::sort(expected.begin(), expected.end());
    CHECK(messages == expected);
}

/// Ends when it is told to.
void wait_for_word(mp::Connection<int> word, mp::Connection<int> ready) {
    ready.send(1);
    word.recv();
}

}  // namespace

// CPython: TestWait.test_wait
// CPython: TestWait.test_wait_slow
TEST_CASE("connection::wait: four readers until the end of each", "[connection]") {
    auto const ctx = test::each_context();
    wait_for_all(ctx, false);
    wait_for_all(ctx, true);
}

// CPython: TestWait.test_wait_timeout
// CPython: TestWait.test_neg_timeout
TEST_CASE("connection::wait: the time passes", "[connection]") {
    auto [a, b] = mp::Pipe<int>();
    std::vector const both{a, b};
    auto const start = std::chrono::steady_clock::now();
    CHECK(mp::connection::wait(both, 30ms).empty());
    CHECK(std::chrono::steady_clock::now() - start >= 30ms);
    CHECK(mp::connection::wait(both, -1s).empty());
    CHECK(mp::connection::wait(both, 0s).empty());
    b.send(1);
    auto const ready = mp::connection::wait(both, 20s);
    REQUIRE(ready.size() == 1);
    CHECK(ready[0] == a);
}

// CPython: _TestConnection.test_wait_empty
TEST_CASE("connection::wait: nothing to wait for lasts as long as it may", "[connection]") {
    auto const start = std::chrono::steady_clock::now();
    CHECK(mp::connection::wait(std::vector<mp::Connection<int>>{}, 30ms).empty());
    CHECK(std::chrono::steady_clock::now() - start >= 30ms);
}

// CPython: TestWait.test_wait_integer
TEST_CASE("connection::wait: connections and the end of a process", "[connection]") {
    auto const ctx = test::each_context();
    auto [word, tell] = mp::Pipe<int>(false);
    auto [ready, say] = mp::Pipe<int>(false);
    auto [a, b] = mp::Pipe<int>();
    auto p = ctx.Process(wait_for_word, word, say);
    p.start();
    REQUIRE(ready.recv() == 1);
    auto const sentinel = p.sentinel();
    CHECK(mp::connection::wait({a, sentinel, b}, 10ms).empty());
    a.send(1);
    CHECK(mp::connection::wait({a, sentinel, b}, 20s) ==
          std::vector<mp::connection::Waitable>{b});
    tell.send(1);
    CHECK(mp::connection::wait({a, sentinel}, 20s) ==
          std::vector<mp::connection::Waitable>{sentinel});
    CHECK(mp::connection::wait(std::vector{sentinel}, 20s) == std::vector{sentinel});
    b.send(2);
    CHECK(mp::connection::wait({a, sentinel, b}, 20s) ==
          std::vector<mp::connection::Waitable>{a, sentinel, b});
    p.join();
}

// CPython: TestInvalidHandle.test_invalid_handles
TEST_CASE("connection::wait: what cannot be waited for is refused", "[connection]") {
    auto [reader, writer] = mp::Pipe<int>(false);
    CHECK_THROWS_AS(mp::connection::wait({writer}, 0s), mp::OSError);
    reader.close();
    CHECK_THROWS_AS(mp::connection::wait({reader}, 0s), mp::OSError);
}

TEST_CASE("connection::wait: threads wake each other", "[connection][threads]") {
    auto [a, b] = mp::Pipe<int>();
    auto [c, d] = mp::Pipe<int>();
    std::thread answer([first = b, second = d]() mutable {
        for (int i = 0; i < 300; ++i) {
            REQUIRE(first.recv() == i);
            (i % 2 == 0 ? first : second).send(i);
        }
    });
    std::vector const ends{a, c};
    for (int i = 0; i < 300; ++i) {
        a.send(i);
        auto ready = mp::connection::wait(ends);
        REQUIRE(ready.size() == 1);
        REQUIRE(ready[0].recv() == i);
    }
    answer.join();
}
