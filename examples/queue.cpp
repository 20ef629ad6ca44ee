// queue — a producer and two consumers work on one bounded queue of a plain struct.
// Python: multiprocessing.Queue(maxsize).
// Output:
//   10 orders, total 55
//   the queue is empty: true
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <string>

namespace mp = multiprocessing;

struct Order {
    int number = 0;
    std::string customer;
};

void produce(mp::Queue<Order> orders) {
    for (int i = 1; i <= 10; ++i) orders.put({i, "customer " + std::to_string(i)});
}

void consume(mp::Queue<Order> orders, mp::Queue<int> done) {
    while (true) {
        Order const order = orders.get();
        if (order.number == 0) break;  // the word for "no more"
        done.put(order.number);
    }
}

int main() {
    mp::freeze_support();
    mp::Queue<Order> orders(4);  // put waits while four orders lie in it
    mp::Queue<int> done;

    mp::Process producer(produce, orders);
    mp::Process first(consume, orders, done);
    mp::Process second(consume, orders, done);
    producer.start();
    first.start();
    second.start();

    producer.join();
    orders.put({});
    orders.put({});
    first.join();
    second.join();

    int count = 0;
    int total = 0;
    while (!done.empty()) {
        total += done.get();
        ++count;
    }
    fmt::print("{} orders, total {}\n", count, total);
    fmt::print("the queue is empty: {}\n", orders.empty());
}
