// faults — a worker that dies costs its task and nothing else; a late task is stopped.
// Python: none: a Pool there waits for ever for what a dead worker had.
// Output:
//   the worker was killed, and its task with it
//   run again until it worked: 42
//   the task took too long, and its worker was killed
//   the pool goes on: [1, 4, 9]
#include <multiprocessing.hpp>

#include <fmt/ranges.h>

#include <chrono>
#include <thread>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

void die() { mp::platform::kill_process(*mp::current_process().pid()); }

int die_at_first(mp::Event has_died) {
    if (!has_died.is_set()) {
        has_died.set();
        die();
    }
    return 42;
}

int square(int x) { return x * x; }

int main() {
    mp::freeze_support();
    mp::Pool pool(2);

    try {
        pool.apply(die);
    } catch (mp::WorkerLostError const& lost) {
        fmt::print("the worker {}, and its task with it\n", lost.signal() ? "was killed" : "left");
    }

    mp::Event has_died;
    auto const again = pool.apply_async({.retries = 1}, die_at_first, has_died);
    fmt::print("run again until it worked: {}\n", again.get());

    auto const late = pool.apply_async({.task_timeout = 100ms},
                                       [] { std::this_thread::sleep_for(1h); });
    try {
        late.get();
    } catch (mp::TimeoutError const& error) {
        fmt::print("{}\n", error.what());
    }

    fmt::print("the pool goes on: {}\n", pool.map(square, {1, 2, 3}));
}
