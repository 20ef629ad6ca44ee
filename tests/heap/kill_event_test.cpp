// SPDX-License-Identifier: MIT
// tests/heap/kill_event_test.cpp — a waker is killed or stopped at every instruction; no sleeper is
// forgotten.
#include <multiprocessing/heap.hpp>
#include <multiprocessing/heap/tagged.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

namespace mp = multiprocessing;
using namespace mp::heap;
using namespace test::stepper;

namespace {

std::optional<Tagged<Event>> event;
Event& bell() { return *event->operator->(); }

/// Sleeps once on the event, and tells how that ended.
class Sleeper {
public:
    Sleeper() : thread_([this] { sleep(); }) {
        // Until it sleeps, or has seen that it need not.
        while (thread_number_ == 0 || (!over_ && !is_asleep())) std::this_thread::yield();
    }
    ~Sleeper() { thread_.join(); }

    bool over() const { return over_; }
    bool was_woken() {
        while (!over_) std::this_thread::yield();
        return ended_ != mp::platform::Parked::timed_out;
    }

private:
    void sleep() {
        auto const armed = bell().arm();
        thread_number_ = static_cast<long>(::syscall(SYS_gettid));
        // A sleep much longer than any that the library makes of one piece.
        ended_ = mp::platform::park(reinterpret_cast<std::atomic<std::uint32_t>&>(bell()),
                                    armed, 3'000'000'000);
        over_ = true;
    }
    bool is_asleep() const {
        std::ifstream file("/proc/self/task/" + std::to_string(thread_number_) + "/stat");
        std::string text;
        std::getline(file, text);
        auto const name_end = text.rfind(')');
        return name_end != std::string::npos && text[name_end + 2] == 'S';
    }

    std::atomic<long> thread_number_{0};
    std::atomic<bool> over_{false};
    std::atomic<mp::platform::Parked> ended_{};
    std::thread thread_;
};

std::optional<Sleeper> sleeper;

}  // namespace

TEST_CASE("Event, killed: who goes to sleep while a waker finds nobody is woken by the next",
          "[heap][kill]") {
    event = Tagged<Event>::make();
    Scenario s;
    s.name = "notify_one";
    s.setup = [] {
        sleeper.reset();
        bell().reset();
        bell().arm();  // one who was killed asleep
    };
    s.warm_up = [] {
        bell().notify_one();
        bell().arm();
    };
    s.operation = [] { bell().notify_one(); };
    s.survive = [] { sleeper.emplace(); };
    s.check = [] {
        if (!sleeper) return;
        bell().notify_one();
        auto const woken = sleeper->was_woken();
        sleeper.reset();
        expect(woken, "nobody woke the sleeper");
    };
    auto o = family::stepped();
    o.modes = {Mode::b_stop_then_kill, Mode::c_stop_then_go_on, Mode::e_stop_go_on_kill};
    verify(run(s, o));
    event.reset();
}
