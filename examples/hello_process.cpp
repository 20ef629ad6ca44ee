// hello_process — a function runs in a process of its own.
// Python: the first Process example of the page on multiprocessing.
// Output:
//   hello bob
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <string>

namespace mp = multiprocessing;

void f(std::string name) { fmt::print("hello {}\n", name); }

int main() {
    mp::freeze_support();  // first line of main: this program can be its own child
    mp::Process p(f, "bob");
    p.start();
    p.join();
}
