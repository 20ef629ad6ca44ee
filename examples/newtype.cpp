// newtype — a class of one's own in tasks, values bound to a function, a worker that dies.
// Python: mp_newtype.py of the documentation, __reduce__, functools.partial.
// Output:
//   7 EUR
//   [21, 22, 23]
//   the worker of task 2 was lost
//   run again: 3
#include <multiprocessing.hpp>

#include <fmt/ranges.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace mp = multiprocessing;

class Money {
public:
    Money(long amount, std::string currency) : amount_(amount), currency_(std::move(currency)) {}
    long amount() const { return amount_; }
    std::string const& currency() const { return currency_; }

private:
    long amount_;
    std::string currency_;
};

// An aggregate needs nothing; a class that hides its members says how it travels.
template <>
struct mp::pickle<Money> {
    static void dump(Writer& writer, Money const& money) {
        writer.write(money.amount());
        writer.write(money.currency());
    }
    static Money load(Reader& reader) {
        auto const amount = reader.read<long>();
        return {amount, reader.read<std::string>()};
    }
};

Money add(Money a, Money b) { return {a.amount() + b.amount(), a.currency()}; }

int die_at_two(mp::Value<int> lives, int x) {
    if (x == 2 && lives.value()-- > 0) std::_Exit(1);
    return x + 1;
}

int main() {
    mp::freeze_support();
    mp::Pool pool(2);
    Money const sum = pool.apply(add, Money(3, "EUR"), Money(4, "EUR"));
    fmt::print("{} {}\n", sum.amount(), sum.currency());

    int const offset = 20;
    auto const shifted = mp::partial([](int by, int x) { return by + x; }, offset);  // not [offset]
    fmt::print("{}\n", pool.map(shifted, {1, 2, 3}));

    mp::Value<int> lives(2);
    try {
        pool.apply(die_at_two, lives, 2);
    } catch (mp::WorkerLostError const&) {
        fmt::print("the worker of task 2 was lost\n");
    }
    fmt::print("run again: {}\n", pool.apply_async({.retries = 1}, die_at_two, lives, 2).get());
}
