// executor — futures: submit, take them as they end, map over two ranges.
// Python: concurrent.futures.ProcessPoolExecutor, submit, as_completed, map.
// Output:
//   squares, sorted: [0, 1, 4, 9]
//   2^10 = 1024, 3^3 = 27
//   an exception arrives with its type: no root of -1
#include <multiprocessing.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp = multiprocessing;

int square(int x) { return x * x; }

int power(int base, int exponent) {
    int result = 1;
    while (exponent-- > 0) result *= base;
    return result;
}

double root(double x) {
    if (x < 0) throw std::domain_error("no root of " + std::to_string(std::lround(x)));
    return std::sqrt(x);
}

int main() {
    mp::freeze_support();
    mp::futures::ProcessPoolExecutor executor(4);

    std::vector<mp::futures::Future<int>> futures;
    for (int i = 0; i < 4; ++i) futures.push_back(executor.submit(square, i));
    std::vector<int> squares;
    for (auto const& future : mp::futures::as_completed(futures))
        squares.push_back(future.result());
    std::sort(squares.begin(), squares.end());
    fmt::print("squares, sorted: {}\n", squares);

    auto powers = executor.map(power, std::vector{2, 3}, std::vector{10, 3});
    int const first = powers.next();
    fmt::print("2^10 = {}, 3^3 = {}\n", first, powers.next());

    try {
        executor.submit(root, -1.0).result();
    } catch (std::domain_error const& error) {
        fmt::print("an exception arrives with its type: {}\n", error.what());
    }
}  // waits for what was submitted
