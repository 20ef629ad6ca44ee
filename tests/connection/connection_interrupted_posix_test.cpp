// SPDX-License-Identifier: MIT
// tests/connection/connection_interrupted_posix_test.cpp — signals that are handled end no wait.
// There are none on Windows.
#include <multiprocessing.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <csignal>
#include <thread>

#include <signal.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

constexpr int capacity = 8, messages = 50;

void on_signal(int) {}

void receive_then_send(mp::Connection<int> conn) {
    std::signal(SIGUSR1, on_signal);
    conn.send(-1);
    conn.send(conn.recv() + 1);
    for (int i = 0; i < messages; ++i) conn.send(i);
}

/// Interrupts the waits of its parent.
void signal_often(int pid, mp::Event begin) {
    begin.wait();
    for (int i = 0; i < 20; ++i) {
        ::kill(pid, SIGUSR1);
        std::this_thread::sleep_for(5ms);
    }
}

}  // namespace

// CPython: TestIgnoreEINTR.test_ignore
TEST_CASE("Connection: recv and a send that waits survive signals", "[connection]") {
    auto const ctx = test::each_context();
    auto [conn, child] = mp::Pipe<int>({.capacity = capacity});
    auto p = ctx.Process({.daemon = true}, receive_then_send, child);
    p.start();
    child.close();
    REQUIRE(conn.poll(20s));
    CHECK(conn.recv() == -1);
    auto const pid = *p.pid();
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(10ms);
        ::kill(pid, SIGUSR1);  // it waits for us
    }
    conn.send(1234);
    CHECK(conn.recv() == 1235);
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(10ms);
        ::kill(pid, SIGUSR1);  // the pipe is full
    }
    for (int i = 0; i < messages; ++i) REQUIRE(conn.recv() == i);
    p.join();
    CHECK(p.exitcode() == 0);
}

// CPython: _TestPollEintr.test_poll_eintr
TEST_CASE("Process: join survives signals that are handled", "[connection]") {
    auto const ctx = test::each_context();
    auto* const before = std::signal(SIGUSR1, on_signal);
    auto const begin = ctx.Event();
    auto p = ctx.Process(signal_often, *mp::current_process().pid(), begin);
    p.start();
    begin.set();
    p.join();
    std::signal(SIGUSR1, before);
    CHECK(p.exitcode() == 0);
}
