// SPDX-License-Identifier: MIT
// tests/reduction/view_test.cpp — received elements are read where they lie, and are freed.
#include <multiprocessing/connection.hpp>
#include <multiprocessing/context.hpp>
#include <multiprocessing/queues.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

using Numbers = std::vector<double>;

Numbers numbers(std::size_t n) {
    Numbers all(n);
    std::iota(all.begin(), all.end(), 0.5);
    return all;
}

void put_numbers(mp::Queue<Numbers> q, std::size_t n) { q.put(numbers(n)); }

void hold_a_view(mp::Queue<Numbers> q, mp::Queue<int> ready) {
    auto const view = q.get_view();
    ready.put(view[2] == 2.5 ? 1 : 0);
    for (;;) std::this_thread::sleep_for(1h);
}

}  // namespace

TEST_CASE("Queue: a view of what another process put", "[queue][view]") {
    auto const ctx = test::each_context();
    auto const before = family::at_rest();
    {
        auto q = ctx.Queue<Numbers>();
        for (std::size_t const n : {0u, 1u, 13u, 60u, 100u, 200'000u}) {
            auto p = ctx.Process(put_numbers, q, n);
            p.start();
            auto view = q.get_view(true, 20s);
            auto const expected = numbers(n);
            CHECK(std::ranges::equal(view, expected));
            std::span<double const> const span = view;
            CHECK(span.size() == n);
            auto const moved = std::move(view);
            CHECK(view.empty());
            CHECK(moved.size() == n);
            CHECK(moved.data() == span.data());
            p.join();
        }
        CHECK_THROWS_AS(q.get_view(false), mp::Empty);
    }
    CHECK(family::at_rest().blocks == before.blocks);
}

TEST_CASE("Queue: many views at once, destroyed in another thread", "[queue][view]") {
    auto const before = family::at_rest();
    {
        mp::Queue<std::string> q;
        mp::Queue<mp::Bytes> bytes;
        std::vector<mp::View<char>> views;
        for (std::size_t i = 0; i < 40; ++i) q.put(std::string(50 * i, 'x'));
        for (std::size_t i = 0; i < 40; ++i) views.push_back(q.get_view());
        for (std::size_t i = 0; i < 40; ++i)
            CHECK(std::string(views[i].begin(), views[i].end()) == std::string(50 * i, 'x'));
        views.erase(views.begin(), views.begin() + 20);
        views[3] = std::move(views[7]);
        std::thread([&] { views.clear(); }).join();
        bytes.put(mp::Bytes(std::string(5000, 'y')));
        CHECK(bytes.get_view().size() == 5000);
    }
    CHECK(family::at_rest().blocks == before.blocks);
}

TEST_CASE("Queue: the views of a killed process are freed", "[queue][view]") {
    auto const ctx = test::each_context();
    auto const before = family::at_rest();
    {
        auto q = ctx.Queue<Numbers>();
        auto ready = ctx.Queue<int>();
        auto p = ctx.Process(hold_a_view, q, ready);
        p.start();
        q.put(numbers(100'000));
        CHECK(ready.get(true, 20s) == 1);
        p.kill();
        p.join();
    }
    mp::heap::sweep_dead();
    CHECK(family::at_rest().blocks == before.blocks);
}

TEST_CASE("Connection: views of values and of bytes", "[connection][view]") {
    auto const before = family::at_rest();
    {
        auto [r, w] = mp::Pipe<Numbers>(false);
        w.send(numbers(3000));
        auto const view = r.recv_view();
        CHECK(std::ranges::equal(view, numbers(3000)));
        for (std::size_t const n : {0u, 5u, 70'000u}) {
            w.send_bytes(std::string(n, 'z'));
            auto const bytes = r.recv_bytes_view();
            CHECK(bytes.size() == n);
            CHECK(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{'z'}; }));
        }
        w.send_bytes(std::string(40, '\xff'));
        CHECK_THROWS_AS(r.recv_view(), mp::UnpicklingError);
    }
    CHECK(family::at_rest().blocks == before.blocks);
}
