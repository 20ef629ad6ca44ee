// SPDX-License-Identifier: MIT
// tests/connection/connection_test.cpp — both ends of a pipe, in one process and in several.
#include <multiprocessing.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <array>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

using Letter = std::vector<std::string>;

/// Sends back what comes, until an empty letter.
void echo(mp::Connection<Letter> conn) {
    for (;;) {
        auto const letter = conn.recv();
        if (letter.empty()) break;
        conn.send(letter);
    }
}

/// The same for bytes, until an empty message.
void echo_bytes(mp::Connection<int> conn) {
    for (;;) {
        auto const bytes = conn.recv_bytes();
        if (bytes.empty()) break;
        conn.send_bytes(bytes);
    }
}

std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

// CPython: _TestConnection.test_connection
TEST_CASE("Connection: values come back from another process", "[connection]") {
    auto const ctx = test::each_context();
    auto [conn, child] = mp::Pipe<Letter>();
    auto p = ctx.Process({.daemon = true}, echo, child);
    p.start();
    child.close();
    Letter const small{"a", "", "c"};
    Letter const large{std::string(100'000, 'x'), "y"};
    conn.send(small);
    conn.send(large);
    REQUIRE(conn.poll(20s));
    CHECK(conn.recv() == small);
    CHECK(conn.recv() == large);
    CHECK_FALSE(conn.poll());
    CHECK_FALSE(conn.poll(-1s));
    conn.send({});
    // What a child that closes its end, or ends, has not sent will not come.
    CHECK(conn.poll(std::nullopt));
    CHECK_THROWS_AS(conn.recv(), mp::EOFError);
    p.join();
    CHECK(p.exitcode() == 0);
}

// CPython: _TestConnection.test_connection
TEST_CASE("Connection: bytes come back from another process", "[connection]") {
    auto const ctx = test::each_context();
    auto [conn, child] = mp::Pipe<int>();
    auto p = ctx.Process({.daemon = true}, echo_bytes, child);
    p.start();
    child.close();

    conn.send_bytes("hello");
    CHECK(conn.recv_bytes() == mp::Bytes("hello"));

    std::array<std::byte, 30> buffer{};
    conn.send_bytes("hello");
    CHECK(conn.recv_bytes_into(buffer) == 5);
    CHECK(text_of(std::span(buffer).first(6)) == std::string("hello\0", 6));

    buffer.fill(std::byte{0});
    conn.send_bytes("hello");
    CHECK(conn.recv_bytes_into(buffer, 9) == 5);
    CHECK(text_of(std::span(buffer).subspan(8, 7)) == std::string("\0hello\0", 7));

    std::string const longer(10 * buffer.size(), '!');
    conn.send_bytes(longer);
    try {
        conn.recv_bytes_into(buffer);
        FAIL("a message that does not fit was received");
    } catch (mp::BufferTooShort const& error) {
        CHECK(error.message() == longer);
    }

    std::string const very_long(16 << 20, 'X');
    conn.send_bytes(very_long);
    CHECK(conn.recv_bytes() == mp::Bytes(very_long));
    conn.send_bytes("");
    p.join();
}

// CPython: _TestConnection.test_duplex_false
TEST_CASE("Connection: one way", "[connection]") {
    auto [reader, writer] = mp::Pipe<int>({.duplex = false});
    writer.send(1);
    CHECK(reader.recv() == 1);
    CHECK(reader.readable());
    CHECK_FALSE(reader.writable());
    CHECK_FALSE(writer.readable());
    CHECK(writer.writable());
    CHECK_THROWS_AS(reader.send(2), mp::OSError);
    CHECK_THROWS_AS(writer.recv(), mp::OSError);
    CHECK_THROWS_AS(writer.poll(), mp::OSError);
    auto [same_reader, same_writer] = mp::Pipe<int>(false);
    CHECK_FALSE(same_reader.writable());
}

// CPython: _TestConnection.test_spawn_close
TEST_CASE("Connection: the child's end may be closed right after start", "[connection]") {
    auto const ctx = test::each_context();
    auto [conn, child] = mp::Pipe<int>();
    auto p = ctx.Process({.daemon = true}, echo_bytes, child);
    p.start();
    child.close();
    conn.send_bytes("hello");
    CHECK(conn.recv_bytes() == mp::Bytes("hello"));
    conn.send_bytes("");
    conn.close();
    p.join();
    CHECK(p.exitcode() == 0);
}

// CPython: _TestConnection.test_sendbytes
TEST_CASE("Connection: parts of a buffer", "[connection]") {
    auto [a, b] = mp::Pipe<int>();
    std::string const text = "abcdefghijklmnopqrstuvwxyz";
    a.send_bytes(text);
    CHECK(b.recv_bytes() == mp::Bytes(text));
    a.send_bytes(text, 5);
    CHECK(b.recv_bytes() == mp::Bytes(text.substr(5)));
    a.send_bytes(text, 7, 8);
    CHECK(b.recv_bytes() == mp::Bytes(text.substr(7, 8)));
    a.send_bytes(text, 26);
    CHECK(b.recv_bytes().empty());
    a.send_bytes(text, 26, 0);
    CHECK(b.recv_bytes().empty());
    CHECK_THROWS_AS(a.send_bytes(text, 27), mp::ValueError);
    CHECK_THROWS_AS(a.send_bytes(text, 22, 5), mp::ValueError);
    CHECK_THROWS_AS(a.send_bytes(text, 26, 1), mp::ValueError);
    CHECK_THROWS_AS(a.send_bytes(text, -1), mp::ValueError);
    CHECK_THROWS_AS(a.send_bytes(text, 4, -1), mp::ValueError);
    CHECK_FALSE(b.poll());
    CHECK_THROWS_AS(b.recv_bytes(-1), mp::ValueError);
}

TEST_CASE("Connection: a message longer than allowed ends receiving", "[connection]") {
    SECTION("the end can still send") {
        auto [a, b] = mp::Pipe<int>();
        a.send_bytes("12345");
        a.send_bytes("12345");
        CHECK(b.recv_bytes(5) == mp::Bytes("12345"));
        CHECK_THROWS_AS(b.recv_bytes(4), mp::OSError);
        CHECK_FALSE(b.readable());
        CHECK_THROWS_AS(b.recv_bytes(), mp::OSError);
        b.send(3);
        CHECK(a.recv() == 3);
    }
    SECTION("one that only receives is closed") {
        auto [r, w] = mp::Pipe<int>(false);
        w.send_bytes("12345");
        CHECK_THROWS_AS(r.recv_bytes(4), mp::OSError);
        CHECK(r.closed());
    }
}

// CPython: _TestConnection.test_context
TEST_CASE("Connection: after close nothing works, and the other end knows", "[connection]") {
    auto [a, b] = mp::Pipe<int>();
    a.send(1729);
    CHECK(b.recv() == 1729);
    a.send(7);
    auto copy = a;
    a.close();
    a.close();
    CHECK(copy.closed());
    CHECK_THROWS_AS(copy.recv(), mp::OSError);
    CHECK_THROWS_AS(copy.send(1), mp::OSError);
    CHECK_THROWS_AS(copy.poll(), mp::OSError);
    try {
        copy.send_bytes("x");
        FAIL("sent through a closed end");
    } catch (mp::OSError const& error) {
        CHECK(error.code() == std::errc::bad_file_descriptor);
    }
    CHECK(b.recv() == 7);  // sent before the end
    CHECK(b.poll());
    CHECK_THROWS_AS(b.recv(), mp::EOFError);
    CHECK_THROWS_AS(b.recv(), mp::EOFError);
    try {
        b.send(1);
        FAIL("sent to nobody");
    } catch (mp::OSError const& error) {
        CHECK(error.code() == std::errc::broken_pipe);
    }
    {
        auto [c, d] = mp::Pipe<int>();
        a = c;
        b = d;
    }
    a.send(1);
    CHECK(b.recv() == 1);
}

// CPython: _TestPoll.test_empty_string
TEST_CASE("Connection: an empty message is a message", "[connection]") {
    auto [a, b] = mp::Pipe<int>();
    a.send_bytes("");
    CHECK(b.poll());
    CHECK(b.poll());
    CHECK(b.recv_bytes().empty());
    CHECK_FALSE(b.poll());
}

namespace {

void send_strings(mp::Connection<int> conn, std::vector<std::string> texts) {
    for (auto const& text : texts) conn.send_bytes(text);
}

}  // namespace

// CPython: _TestPoll.test_strings
// CPython: _TestPoll.test_boundaries
// CPython: _TestPoll.test_dont_merge
TEST_CASE("Connection: messages are polled and received one by one", "[connection]") {
    auto const ctx = test::each_context();
    std::vector<std::string> const texts{"hello", "", "a", "b", "", "bye", "", "lop", "", "end"};
    auto [reader, writer] = mp::Pipe<int>(false);
    auto p = ctx.Process(send_strings, writer, texts);
    p.start();
    writer.close();
    for (auto const& text : texts) {
        REQUIRE(reader.poll(20s));
        REQUIRE(reader.poll());
        CHECK(reader.recv_bytes() == mp::Bytes(text));
    }
    CHECK(reader.poll(20s));
    CHECK_THROWS_AS(reader.recv_bytes(), mp::EOFError);
    p.join();
}

namespace {

void answer_over(mp::Connection<mp::Connection<std::string>> channel) {
    auto writer = channel.recv();
    writer.send("is big");
    auto reader = channel.recv();
    writer.send(reader.recv() + "*2");
}

}  // namespace

// CPython: _TestPicklingConnections.test_access
TEST_CASE("Connection: ends travel through connections", "[connection]") {
    auto const ctx = test::each_context();
    auto [channel, child] = mp::Pipe<mp::Connection<std::string>>();
    auto p = ctx.Process({.daemon = true}, answer_over, child);
    p.start();
    child.close();
    auto [r, w] = mp::Pipe<std::string>(false);
    channel.send(w);
    w.close();
    CHECK(r.recv() == "is big");
    auto [r2, w2] = mp::Pipe<std::string>(false);
    channel.send(r2);
    r2.close();
    w2.send("foobar");
    CHECK(r.recv() == "foobar*2");
    p.join();
    CHECK_THROWS_AS(r.recv(), mp::EOFError);
}

TEST_CASE("Connection: an end that is still on its way is not gone", "[connection]") {
    auto [r, w] = mp::Pipe<int>(false);
    mp::Queue<mp::Connection<int>> queue;
    queue.put(w);
    w.close();
    CHECK_FALSE(r.poll());
    auto again = queue.get();
    CHECK_FALSE(again.closed());
    again.send(5);
    CHECK(r.recv() == 5);
    queue.put(again);
    again.close();
    queue = mp::Queue<mp::Connection<int>>();  // the last that knew the end
    CHECK(r.poll());
    CHECK_THROWS_AS(r.recv(), mp::EOFError);
}

TEST_CASE("Connection: an end is read as what it is", "[connection]") {
    auto [a, b] = mp::Pipe<int>();
    CHECK(a == a);
    CHECK_FALSE(a == b);
    mp::Queue<mp::Connection<int>> queue;
    queue.put(a);
    CHECK(queue.get() == a);
    mp::HeapCourier courier;
    mp::Writer writer(&courier);
    writer.write(a);
    auto message = mp::to_message(writer, courier);
    mp::MessageReader reader(message.header());
    CHECK_THROWS_AS(reader.reader().read<mp::Connection<long long>>(), mp::UnpicklingError);
    b.send_bytes("xyz");
    CHECK_THROWS_AS(a.recv(), mp::UnpicklingError);
    CHECK_FALSE(a.poll());
    CHECK(fmt::format("{}", a).find("<multiprocessing.connection.Connection object at 0x") == 0);
}

namespace {

void receive_for_ever(mp::Connection<int> conn, mp::Connection<int> ready) {
    ready.send(1);
    conn.recv();
}

}  // namespace

TEST_CASE("Connection: the end of a killed process is the end of the pipe", "[connection]") {
    auto const ctx = test::each_context();
    auto [conn, child] = mp::Pipe<int>();
    auto [ready, tell] = mp::Pipe<int>(false);
    auto p = ctx.Process(receive_for_ever, child, tell);
    p.start();
    child.close();
    tell.close();
    CHECK(ready.recv() == 1);
    p.kill();
    CHECK_THROWS_AS(conn.recv(), mp::EOFError);  // nobody has joined yet
    CHECK_THROWS_AS(conn.send(1), mp::OSError);
    p.join();
}

TEST_CASE("Connection: send waits while the pipe is full", "[connection][threads]") {
    auto [r, w] = mp::Pipe<int>({.duplex = false, .capacity = 4});
    std::thread sender([end = w]() mutable {
        for (int i = 0; i < 1000; ++i) end.send(i);
        end.close();
    });
    for (int i = 0; i < 1000; ++i) REQUIRE(r.recv() == i);
    CHECK_THROWS_AS(r.recv(), mp::EOFError);
    sender.join();
}

TEST_CASE("Connection: close wakes those that wait", "[connection][threads]") {
    auto [a, b] = mp::Pipe<int>();
    bool closed = false, ended = false;  // Catch2's macros are for one thread
    std::thread waiter([&closed, end = a]() mutable {
        try {
            end.recv();
        } catch (mp::OSError const&) {
            closed = true;
        }
    });
    std::thread peer([&ended, end = b]() mutable {
        try {
            end.recv();
        } catch (mp::EOFError const&) {
            ended = true;
        }
    });
    a.close();
    waiter.join();
    peer.join();
    CHECK(closed);
    CHECK(ended);
}

TEST_CASE("Connection: threads share one end", "[connection][threads]") {
    auto [a, b] = mp::Pipe<int>();
    constexpr int each = 2000;
    std::vector<std::thread> senders;
    for (int t = 0; t < 3; ++t)
        senders.emplace_back([end = a, t]() mutable {
            for (int i = 0; i < each; ++i) end.send(t * each + i);
        });
    std::set<int> seen;
    for (int i = 0; i < 3 * each; ++i) seen.insert(b.recv());
    for (auto& thread : senders) thread.join();
    CHECK(seen.size() == 3 * each);
    CHECK_FALSE(b.poll());
}
