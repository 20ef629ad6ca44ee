// shared_value — four processes count in one Value and fill one Array.
// Python: "Sharing state between processes" of the page on multiprocessing.
// Output:
//   4000
//   [0, 10, 20, 30]
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <mutex>
#include <vector>

namespace mp = multiprocessing;

void count(mp::Value<int> counter, mp::Array<int> marks, int which) {
    for (int i = 0; i < 1000; ++i) {
        std::scoped_lock guard(counter.get_lock());  // += is a read and a write
        counter.value() += 1;
    }
    marks[static_cast<std::size_t>(which)] = which * 10;
}

int main() {
    mp::freeze_support();
    mp::Value<int> counter(0);
    mp::Array<int> marks(4);
    std::vector<mp::Process> processes;
    for (int i = 0; i < 4; ++i) processes.emplace_back(count, counter, marks, i);
    for (auto& process : processes) process.start();
    for (auto& process : processes) process.join();
    fmt::print("{}\n{}\n", counter.value(), marks);
}
