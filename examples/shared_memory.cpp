// shared_memory — a block under a name, and a map that survives whoever dies while changing it.
// Python: multiprocessing.shared_memory.SharedMemory; the map has no counterpart.
// Output:
//   0.5
//   apple 2, pear 1
//   the change of a killed process never was: apple 2
#include <multiprocessing.hpp>
#include <multiprocessing/shared.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <string>

namespace mp = multiprocessing;
using Counts = mp::shared::map<mp::shared::string, int>;

void halve(std::string name) {
    mp::shared_memory::SharedMemory block({.name = name});
    for (double& x : block.buf<double>()) x /= 2;
}

void count(mp::shared::Segment segment, std::string word) {
    segment.update([&](mp::shared::Root& root) {
        auto& counts = root.make<Counts>("counts");
        ++counts.emplace(word.c_str(), 0).first->second;
    });
}

void die_in_a_change(mp::shared::Segment segment) {
    segment.update([](mp::shared::Root& root) {
        root.make<Counts>("counts").clear();
        std::_Exit(9);  // as a kill does it: nothing is unwound
    });
}

int counted(mp::shared::Segment const& segment, char const* word) {
    return segment.read(
        [&](mp::shared::Root const& root) { return root.at<Counts>("counts").find(word)->second; });
}

template <class... A>
void run(A... arguments) {
    mp::Process p(arguments...);
    p.start();
    p.join();
}

int main() {
    mp::freeze_support();
    mp::shared_memory::SharedMemory block({.create = true, .size = 8 * sizeof(double)});
    block.buf<double>()[3] = 1.0;
    run(halve, block.name());  // any program of this user may attach; Python's does, too
    fmt::print("{}\n", block.buf<double>()[3]);
    block.unlink();

    mp::shared::Segment segment({.create = true, .size = 1 << 16});
    for (auto const* word : {"apple", "pear", "apple"}) run(count, segment, std::string(word));
    fmt::print("apple {}, pear {}\n", counted(segment, "apple"), counted(segment, "pear"));
    run(die_in_a_change, segment);
    fmt::print("the change of a killed process never was: apple {}\n", counted(segment, "apple"));
    segment.unlink();
}
