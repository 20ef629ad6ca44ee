// SPDX-License-Identifier: MIT
// Limits of files, and real Python under the same name: there is neither on Windows.
#include <multiprocessing/shared_memory.hpp>

#include "support/catch.hpp"
#include "support/relative.hpp"

#include <cstdlib>
#include <string>

#include <sys/resource.h>

namespace mp = multiprocessing;
using mp::shared_memory::SharedMemory;

TEST_CASE("SharedMemory: a limit of the file size or of addresses is a MemoryError",
          "[shared_memory]") {
    auto const limited = test::start([] {
        int wrong = 0;
        for (auto const kind : {RLIMIT_FSIZE, RLIMIT_AS}) {
            rlimit old{};
            getrlimit(kind, &old);
            rlimit const less{1 << 20, old.rlim_max};
            setrlimit(kind, &less);
            try {
                SharedMemory const block({.create = true, .size = 64 << 20});
                block.unlink();
                ++wrong;
            } catch (mp::MemoryError const&) {
            }
            setrlimit(kind, &old);
        }
        return wrong;
    });
    CHECK(limited.join() == 0);
}

TEST_CASE("SharedMemory: the same block in Python", "[shared_memory]") {
    SharedMemory const block({.create = true, .size = 64});
    block.buf<char>()[0] = 'C';
    auto const script =
        "import sys; from multiprocessing import shared_memory, resource_tracker as r\n"
        "b = shared_memory.SharedMemory(name='" + block.name() + "')\n"
        "r.unregister(b._name, 'shared_memory')\n"
        "ok = b.size == 64 and b.buf[0] == ord('C')\n"
        "b.buf[1] = ord('P'); b.close(); sys.exit(0 if ok else 1)\n";
    CHECK(std::system(("python3 -c \"" + script + "\"").c_str()) == 0);
    CHECK(block.buf<char>()[1] == 'P');
    block.unlink();
}
