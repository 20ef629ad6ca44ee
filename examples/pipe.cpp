// pipe — parent and child talk over a pipe; the end of the child is the end of the pipe.
// Python: multiprocessing.Pipe().
// Output:
//   the child says: hello, 42 words
//   the child has gone
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <string>

namespace mp = multiprocessing;

void child(mp::Connection<std::string> conn) {
    auto const name = conn.recv();
    conn.send(name + ", 42 words");
}  // its end closes here

int main() {
    mp::freeze_support();
    auto [parent_conn, child_conn] = mp::Pipe<std::string>();
    mp::Process p(child, child_conn);
    p.start();
    child_conn.close();  // the child's copy is the only one now

    parent_conn.send("hello");
    fmt::print("the child says: {}\n", parent_conn.recv());
    try {
        parent_conn.recv();
    } catch (mp::EOFError const&) {
        fmt::print("the child has gone\n");
    }
    p.join();
}
