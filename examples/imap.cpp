// imap — results one by one from a range without an end, read only as far as is needed.
// Python: Pool.imap(func, iterable, chunksize), with a generator.
// Output:
//   primes: 2 3 5 7 11 13 17 19
//   the next square: 0
//   no more: there are no more results
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <chrono>
#include <ranges>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

bool is_prime(int n) {
    for (int d = 2; d * d <= n; ++d)
        if (n % d == 0) return false;
    return n > 1;
}

int square(int x) { return x * x; }

int main() {
    mp::freeze_support();
    mp::Pool pool(4);

    fmt::print("primes:");
    int n = 2;
    for (bool const prime : pool.imap(is_prime, std::views::iota(2), {.chunksize = 4})) {
        if (prime) fmt::print(" {}", n);
        if (++n > 20) break;  // what has not begun is dropped with the iterator
    }
    fmt::print("\n");

    auto squares = pool.imap(square, {0});
    fmt::print("the next square: {}\n", squares.next(10s));
    try {
        squares.next();
    } catch (mp::StopIteration const& end) {
        fmt::print("no more: {}\n", end.what());
    }
}
