// SPDX-License-Identifier: MIT
#include <multiprocessing/context.hpp>
#include <multiprocessing/shared.hpp>

#include "support/catch.hpp"
#include "support/relative.hpp"
#include "support/start_methods.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
namespace shared = mp::shared;
using shared::Segment;
using namespace std::chrono_literals;
using Counts = shared::map<shared::string, int>;

namespace {

/// The name goes with the test, whatever happens in it.
struct Made {
    Segment segment;
    explicit Made(std::int64_t size) : segment({.create = true, .size = size}) {}
    ~Made() {
        if (mp::platform::memory_names_persist) mp::platform::unlink_memory(segment.name());
    }
};

void count(Segment const& segment, std::string const& word) {
    segment.update([&](shared::Root& root) {
        auto& counts = root.make<Counts>("counts");
        auto const found = counts.find(word.c_str());
        if (found != counts.end()) ++found->second;
        else counts.emplace(word.c_str(), 1);
    });
}

int counted(Segment const& segment, std::string const& word) {
    return segment.read([&](shared::Root const& root) {
        auto const* const counts = root.find<Counts>("counts");
        if (counts == nullptr) return 0;
        auto const found = counts->find(word.c_str());
        return found == counts->end() ? 0 : found->second;
    });
}

void count_often(Segment segment, std::string word, int times) {
    for (int i = 0; i < times; ++i) count(segment, word);
}

}  // namespace

TEST_CASE("Segment: containers of containers, seen by whoever opens the name", "[shared]") {
    Made const made(1 << 16);
    made.segment.update([](shared::Root& root) {
        auto& rows = root.make<shared::vector<shared::vector<shared::string>>>("rows");
        rows.resize(2);
        rows[1].emplace_back("a string too long to lie in the string object itself");
        root.make<shared::map<int, double>>("prices")[7] = 2.5;
        root.make<shared::set<shared::string>>("names").emplace("x");
        root.make<long>("total") = 42;
    });
    Segment const same({.name = made.segment.name()});
    same.read([](shared::Root const& root) {
        auto const& rows = root.at<shared::vector<shared::vector<shared::string>>>("rows");
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].empty());
        CHECK(rows[1][0] == "a string too long to lie in the string object itself");
        CHECK(root.at<shared::map<int, double>>("prices").at(7) == 2.5);
        CHECK(root.at<shared::set<shared::string>>("names").count("x") == 1);
        CHECK(root.at<long>("total") == 42);
        CHECK(root.find<long>("nothing") == nullptr);
        CHECK_THROWS_AS(root.at<long>("nothing"), mp::KeyError);
        CHECK_THROWS_AS(root.at<double>("total"), mp::TypeError);
    });
    CHECK(fmt::format("{}", same) == fmt::format("Segment('{}', size=65536)", same.name()));
}

TEST_CASE("Segment: what throws in a change has changed nothing", "[shared]") {
    Made const made(1 << 14);
    auto const& segment = made.segment;
    count(segment, "apple");
    CHECK_THROWS_AS(segment.update([](shared::Root& root) {
        root.make<Counts>("counts").clear();
        root.erase<Counts>("counts");
        throw std::out_of_range("no");
    }),
                    std::out_of_range);
    CHECK(counted(segment, "apple") == 1);

    CHECK_THROWS_AS(segment.update([](shared::Root& root) {
        auto& counts = root.make<Counts>("counts");
        for (int i = 0;; ++i) counts.emplace(std::to_string(i).c_str(), i);
    }),
                    mp::MemoryError);
    CHECK(counted(segment, "apple") == 1);
    CHECK(counted(segment, "0") == 0);
    CHECK(segment.update([](shared::Root& root) { return root.erase<Counts>("counts"); }));
    CHECK(counted(segment, "apple") == 0);
}

TEST_CASE("Segment: one at a time, of threads and of processes", "[shared]") {
    auto const context = test::each_context();
    Made const made(1 << 15);
    auto process = context.Process(count_often, made.segment, std::string("pear"), 200);
    process.start();
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] { count_often(made.segment, "pear", 200); });
    for (auto& thread : threads) thread.join();
    process.join();
    CHECK(process.exitcode() == 0);
    process.close();
    CHECK(counted(made.segment, "pear") == 600);
    CHECK(made.segment.abandoned() == 0);
}

TEST_CASE("Segment: a call within a call is refused, and another thread's may time out",
          "[shared]") {
    Made const made(4096);
    auto const& segment = made.segment;
    segment.update([&](shared::Root&) {
        CHECK_THROWS_AS(segment.read([](shared::Root const&) { return 0; }), mp::RuntimeError);
        std::thread([&] {
            CHECK_THROWS_AS(segment.read([](shared::Root const&) { return 0; }, 1ms),
                            mp::TimeoutError);
            CHECK_THROWS_AS(segment.update([](shared::Root&) {}, 0ms), mp::TimeoutError);
        }).join();
    });
    CHECK(segment.read([](shared::Root const&) { return 5; }) == 5);
}

TEST_CASE("Segment: a process that ends amid a change has changed nothing", "[shared]") {
    Made const made(1 << 15);
    for (int i = 1; i <= 3; ++i) {
        count(made.segment, "plum");
        auto const child = test::start(
            [](std::string name) {
                Segment({.name = name}).update([](shared::Root& root) {
                    root.make<Counts>("counts").clear();
                    mp::platform::kill_process(mp::platform::process_id());
                });
                return 0;
            },
            made.segment.name());
        CHECK(child.join() != 0);
        CHECK(counted(made.segment, "plum") == i);
        CHECK(made.segment.abandoned() == static_cast<std::uint64_t>(i));
    }
}

TEST_CASE("Segment: a size is needed; other memory is none", "[shared]") {
    CHECK_THROWS_AS(Segment({.create = true, .size = 4095}), mp::ValueError);
    CHECK_THROWS_AS(Segment({}), mp::ValueError);
    mp::shared_memory::SharedMemory const other({.create = true, .size = 20000});
    CHECK_THROWS_AS(Segment({.name = other.name()}), mp::RuntimeError);
    if (mp::platform::memory_names_persist) other.unlink();
}
