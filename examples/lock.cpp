// lock — ten processes print, one at a time.
// Python: "Synchronization between processes" of the page on multiprocessing.
// Output, in any order:
//   hello world 0
//   hello world 1
//   hello world 2
//   hello world 3
//   hello world 4
//   hello world 5
//   hello world 6
//   hello world 7
//   hello world 8
//   hello world 9
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <mutex>
#include <vector>

namespace mp = multiprocessing;

void f(mp::Lock lock, int i) {
    std::scoped_lock guard(lock);
    fmt::print("hello world {}\n", i);
}

int main() {
    mp::freeze_support();
    mp::Lock lock;
    std::vector<mp::Process> processes;
    for (int i = 0; i < 10; ++i) processes.emplace_back(f, lock, i);
    for (auto& process : processes) process.start();
    for (auto& process : processes) process.join();
}
