// SPDX-License-Identifier: MIT
// tests/pool/book_test.cpp — what a pool tells of its work, as numbers, a trace and a bar.
#include <multiprocessing/pool/book.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/start_methods.hpp"

#include <cstdio>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace mp = multiprocessing;

namespace {

int square(int x) { return x * x; }
int busy(int ms) {
    auto const end = mp::platform::monotonic_ns() + static_cast<std::uint64_t>(ms) * 1'000'000;
    while (mp::platform::monotonic_ns() < end) {}
    return ms;
}

std::string contents(std::string const& path) {
    std::string text;
    if (auto* const file = std::fopen(path.c_str(), "r")) {
        for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
            text += static_cast<char>(c);
        std::fclose(file);
    }
    return text;
}
std::size_t count(std::string const& text, std::string const& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("Pool: stats tell what each worker has done", "[pool]") {
    auto pool = test::each_context().Pool(2);
    pool.map(square, std::views::iota(0, 100), {.chunksize = 10});
    pool.apply(busy, 20);
    auto const stats = pool.stats();
    std::uint64_t tasks = 0, bytes = 0;
    std::chrono::nanoseconds work{0};
    for (auto const& worker : stats.workers) {
        CHECK(worker.pid > 1);
        CHECK(worker.waiting.count() >= 0);
        tasks += worker.tasks;
        bytes += worker.bytes;
        work += worker.busy;
    }
    CHECK(tasks == 11);
    CHECK(bytes > 11 * 8);
    CHECK(work >= std::chrono::milliseconds(20));
    REQUIRE(stats.slowest.size() == 5);
    CHECK(stats.slowest[0].took >= std::chrono::milliseconds(20));
    CHECK(stats.slowest[0].took >= stats.slowest[1].took);
    auto const text = fmt::format("{}", stats);
    CHECK(count(text, "\n") == stats.workers.size() + 5);
    CHECK(text.find("busy ms") != std::string::npos);
}

TEST_CASE("Pool: trace writes a line for each task", "[pool]") {
    auto const path = "trace-" + std::to_string(mp::platform::process_id()) + ".json";
    {
        auto pool = test::each_context().Pool(2);
        pool.trace(path);
        pool.map(square, std::views::iota(0, 7), {.chunksize = 1});
        CHECK_THROWS_AS(pool.trace("no/such/folder/trace.json"), mp::OSError);
    }
    auto const text = contents(path);
    std::remove(path.c_str());
    CHECK(text.substr(0, 2) == "[\n");
    CHECK(text.substr(text.size() - 3) == "\n]\n");
    CHECK(count(text, "\"ph\": \"X\"") == 7);
    CHECK(count(text, "},\n") == 6);
}

TEST_CASE("Pool: progress is told after each chunk", "[pool]") {
    auto pool = test::each_context().Pool(2);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
    pool.map(square, std::views::iota(0, 10),
             {.chunksize = 3, .progress = [&](std::uint64_t done, std::uint64_t total) {
                  told.emplace_back(done, total);
              }});
    CHECK(told == std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                      {3, 10}, {6, 10}, {9, 10}, {10, 10}});
    CHECK(pool.map(square, {2}, {.progress = [](std::uint64_t, std::uint64_t) {
                                     throw std::runtime_error("in the callback");
                                 }}) == std::vector{4});
    CHECK(pool.map(square, {3}, {.progress = true}) == std::vector{9});  // no terminal, no bar
    CHECK(mp::Progress::bar(15, 60, 3) ==
          "[#######.......................] 15/60 5.0/s 9 s left");
    CHECK(mp::Progress::bar(0, 0, 0) == "[##############################] 0/0 0.0/s 0 s left");
}
