// SPDX-License-Identifier: MIT
// Limits of a process by setrlimit, which Windows does not have.
#include <multiprocessing/heap/backing.hpp>

#include <multiprocessing/heap.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"

#include <sys/resource.h>

namespace heap = multiprocessing::heap;

TEST_CASE("Backing: what one process is refused costs the others nothing", "[heap]") {
    auto const& header = heap::State::instance().arena.header();
    auto const mark = header.unit_mark.load();
    auto const limited = family::start([] {
        rlimit const least{heap::State::instance().arena.memory().size(), RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &least);
        int refused = 0;
        for (int i = 0; i < 100; ++i) try {
                heap::Shared::make(heap::Kind::plain, 0, std::uint64_t{1} << 30,
                                   [](std::byte*) {});
            } catch (multiprocessing::MemoryError const&) {
                ++refused;
            }
        return refused;
    });
    CHECK(limited.join() == 100);
    CHECK(header.unit_mark.load() == mark);
}
