// object — values of any type through one queue, as in a Python program.
// Python: multiprocessing.Queue, whose items are objects.
// Output:
//   order 7: {'customer': 'lily', 'items': ['tea', 'jam'], 'total': 12.5}
//   a list of 3: [None, True, "it's"]
//   the answer is an int: 42
//   TypeError: expected double, not 'str'
//   total 12.5, first item tea
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <string>
#include <vector>

namespace mp = multiprocessing;

void produce(mp::Queue<> queue) {
    mp::Dict order{{"customer", "lily"}, {"total", 12.5}};
    order["items"] = std::vector<std::string>{"tea", "jam"};  // C++ values become Python's
    order["total"] = order.pop("total");                      // moves it behind the items
    queue.put(mp::Tuple{7, order});
    queue.put(mp::List{mp::None, true, "it's"});
    queue.put(42);
    queue.put("no number");
}

int main() {
    mp::freeze_support();
    mp::Queue queue;
    mp::Process producer(produce, queue);
    producer.start();

    auto const [number, order] = queue.get().to<std::pair<int, mp::Dict>>();
    fmt::print("order {}: {}\n", number, order);

    mp::Object const list = queue.get();
    fmt::print("a list of {}: {}\n", list.size(), list);

    mp::Object const answer = queue.get();
    fmt::print("the answer is an {}: {}\n", answer.type_name(), int(answer));

    try {
        fmt::print("{}\n", queue.get().to<double>());
    } catch (mp::TypeError const& error) {
        fmt::print("TypeError: {}\n", error.what());
    }
    producer.join();

    fmt::print("total {}, first item {}\n", order["total"].to<double>(), order["items"][0]);
}
