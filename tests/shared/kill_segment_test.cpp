// SPDX-License-Identifier: MIT
// tests/shared/kill_segment_test.cpp — a process is killed or stopped in the midst of a change.
#include <multiprocessing/shared.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <optional>

namespace mp = multiprocessing;
namespace shared = mp::shared;
using namespace test::stepper;
using namespace std::chrono_literals;

namespace {

std::optional<shared::Segment> stepped_segment;

// Two objects that only a change as a whole keeps equal.
void add(int n) {
    stepped_segment->update([n](shared::Root& root) {
        root.make<shared::vector<int>>("numbers").push_back(n);
        root.make<shared::map<int, int>>("index").emplace(n, n);
    });
}

void expect_whole() {
    stepped_segment->read(
        [](shared::Root const& root) {
            auto const& numbers = root.at<shared::vector<int>>("numbers");
            auto const& index = root.at<shared::map<int, int>>("index");
            expect(numbers.size() == index.size(), "half a change is seen");
            for (int const n : numbers) expect(index.at(n) == n, "an entry is torn");
        },
        5s);
}

}  // namespace

TEST_CASE("Kill: a Segment is changed", "[shared][kill]") {
    Scenario s;
    s.name = "Segment.update";
    s.setup = [] {
        if (stepped_segment) stepped_segment->unlink();
        using Options = mp::shared_memory::SharedMemoryOptions;
        stepped_segment.emplace(Options{.create = true, .size = 4096});
        add(1);
    };
    s.warm_up = [] { add(2); };
    s.operation = [] { add(3); };
    s.check = [] {
        expect_whole();
        add(4);
        expect_whole();
        stepped_segment->read([](shared::Root const& root) {
            auto const size = root.at<shared::vector<int>>("numbers").size();
            expect(size == 3 || size == 4, "a change is lost, or one was made twice");
        });
        stepped_segment->unlink();
        stepped_segment.reset();
    };
    auto options = family::stepped();
    options.modes = {Mode::a_kill};
    verify(run(s, options));
}
