// barrier — three processes work in rounds; none begins the next one before all are done.
// Python: "Synchronization primitives" of the page on multiprocessing.
// Output:
//   round 1: 3 parts
//   round 2: 6 parts
//   round 3: 9 parts
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <mutex>
#include <vector>

namespace mp = multiprocessing;

// The last one to arrive calls it, before any goes on.
void report(mp::Value<int> parts) {
    fmt::print("round {}: {} parts\n", parts.value() / 3, parts.value());
    std::fflush(stdout);
}

void work(mp::Barrier barrier, mp::Value<int> parts) {
    for (int i = 0; i < 3; ++i) {
        {
            std::scoped_lock guard(parts.get_lock());
            parts.value() += 1;
        }
        barrier.wait();
    }
}

int main() {
    mp::freeze_support();
    mp::Value<int> parts(0);
    mp::Barrier barrier(3, mp::partial(report, parts));
    std::vector<mp::Process> processes;
    for (int i = 0; i < 3; ++i) processes.emplace_back(work, barrier, parts);
    for (auto& process : processes) process.start();
    for (auto& process : processes) process.join();
}
