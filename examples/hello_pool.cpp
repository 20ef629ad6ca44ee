// hello_pool — five processes square numbers.
// Python: the first example of the page on multiprocessing.
// Output:
//   [1, 4, 9]
#include <multiprocessing.hpp>

#include <fmt/ranges.h>

namespace mp = multiprocessing;

int f(int x) { return x * x; }

int main() {
    mp::freeze_support();  // first line of main: this program can be its own child
    mp::Pool pool(5);
    fmt::print("{}\n", pool.map(f, {1, 2, 3}));
}
