// SPDX-License-Identifier: MIT
// tests/platform/memory_test.cpp — the shared memory of a tree.
#include <multiprocessing/platform/memory.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/parking.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/resource.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using platform::SharedMemory;

namespace {

constexpr std::size_t MiB = std::size_t{1} << 20;
constexpr std::size_t GiB = std::size_t{1} << 30;

void limit(int resource, std::size_t bytes) {
    rlimit const value{bytes, bytes};
    ::setrlimit(static_cast<__rlimit_resource_t>(resource), &value);
}

std::size_t mapped_bytes() {
    platform::detail::SmallFile<128> const file("/proc/self/statm");
    return platform::detail::leading_number(file.text()).value() * platform::page_size();
}

bool all_zero(std::byte const* data, std::size_t bytes) {
    return std::all_of(data, data + bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

TEST_CASE("SharedMemory: is zero, sparse and as long as asked for", "[platform]") {
    SharedMemory memory = SharedMemory::create(64 * GiB, MiB);
    CHECK(memory.size() == MiB);
    CHECK(memory.resident() == 0);
    CHECK(all_zero(memory.data(), MiB));
    REQUIRE(memory.grow(2 * GiB));
    CHECK(memory.size() == 2 * GiB);
    memory.data()[2 * GiB - 1] = std::byte{1};
    CHECK(memory.resident() < 16 * MiB);
    CHECK(memory.grow(MiB));
    CHECK(memory.size() == 2 * GiB);
    CHECK(!memory.grow(memory.reserved() + 1));
    CHECK(!memory.grow(std::numeric_limits<std::size_t>::max()));
}

TEST_CASE("SharedMemory: a child sees it, and what it grows to later", "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    auto [reader, writer] = platform::pipe_pair();
    test::Child child([&] {
        std::byte go[1];
        platform::read_some(reader.get(), go);
        memory.data()[0] = memory.data()[8 * MiB];
        return 0;
    });
    REQUIRE(memory.grow(16 * MiB));
    memory.data()[8 * MiB] = std::byte{42};
    platform::write_all(writer.get(), std::vector{std::byte{1}});
    CHECK(child.wait() == 0);
    CHECK(memory.data()[0] == std::byte{42});
}

TEST_CASE("SharedMemory: attach maps the same bytes at another place", "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    SharedMemory other =
        SharedMemory::attach(platform::duplicate(memory.handle()), memory.reserved());
    CHECK(other.data() != memory.data());
    memory.data()[5] = std::byte{5};
    CHECK(other.data()[5] == std::byte{5});
    REQUIRE(other.grow(2 * MiB));
    CHECK(memory.size() == 2 * MiB);

    SharedMemory moved = std::move(other);
    CHECK(other.data() == nullptr);
    moved = SharedMemory();
    CHECK(moved.data() == nullptr);
}

TEST_CASE("SharedMemory: what is given back reads as zero and occupies nothing", "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, 8 * MiB);
    std::memset(memory.data(), 0xff, 8 * MiB);
    std::size_t const full = memory.resident();
    CHECK(full >= 8 * MiB);
    if (!memory.give_back(MiB, 4 * MiB)) {
        SKIP("this system keeps what it once gave");
    }
    CHECK(memory.resident() <= full - 4 * MiB);
    CHECK(memory.data()[MiB - 1] == std::byte{0xff});
    CHECK(all_zero(memory.data() + MiB, 4 * MiB));
    CHECK(memory.data()[5 * MiB] == std::byte{0xff});
    CHECK(memory.size() == 8 * MiB);
}

TEST_CASE("SharedMemory: processes that grow it at once all get what they asked for",
          "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    constexpr std::size_t children = 4;
    constexpr std::size_t rounds = 100;
    auto const grow = [&](std::size_t self) {
        for (std::size_t round = 0; round < rounds; ++round) {
            std::size_t const wanted = MiB + (round * children + self + 1) * 16384;
            if (!memory.grow(wanted)) {
                return 1;
            }
            memory.data()[wanted - 1] = std::byte{1};  // a SIGBUS if it is not there
        }
        return 0;
    };
    std::vector<std::unique_ptr<test::Child>> family;
    for (std::size_t self = 0; self < children; ++self) {
        family.push_back(std::make_unique<test::Child>([&grow, self] { return grow(self); }));
    }
    for (auto const& child : family) {
        CHECK(child->wait() == 0);
    }
    CHECK(memory.size() == MiB + rounds * children * 16384);
}

TEST_CASE("SharedMemory: threads that grow it at once all get what they asked for",
          "[platform][threads]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (std::size_t self = 0; self < 4; ++self) {
        threads.emplace_back([&, self] {
            for (std::size_t round = 0; round < 50; ++round) {
                std::size_t const wanted = MiB + (round * 4 + self + 1) * 16384;
                refused += memory.grow(wanted) ? 0 : 1;
                memory.data()[wanted - 1] = std::byte{1};
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(refused == 0);
}

TEST_CASE("SharedMemory: a limit of the file size refuses growth and sends no signal",
          "[platform]") {
    SharedMemory memory = SharedMemory::create(GiB, MiB);
    CHECK(test::in_child([&] {
              limit(RLIMIT_FSIZE, 4 * MiB);
              bool const refused = !memory.grow(8 * MiB);
              bool const granted = memory.grow(4 * MiB);
              return refused && granted ? 0 : 1;
          }) == 0);
    CHECK(memory.size() == 4 * MiB);
}

TEST_CASE("SharedMemory: create under a limit of the file size is a MemoryError", "[platform]") {
    CHECK(test::in_child([] {
              limit(RLIMIT_FSIZE, MiB);
              try {
                  SharedMemory::create(GiB, 2 * MiB);
              } catch (mp::MemoryError const& error) {
                  return std::strstr(error.what(), "RLIMIT_FSIZE") != nullptr ? 0 : 2;
              }
              return 1;
          }) == 0);
}

TEST_CASE("SharedMemory: reserves less where addresses are limited", "[platform]") {
    if (!test::address_limits_work) {
        SKIP("the sanitizer itself is above every limit");
    }
    CHECK(test::in_child([] {
              limit(RLIMIT_AS, mapped_bytes() + 1500 * MiB);
              SharedMemory const memory = SharedMemory::create(64 * GiB, MiB);
              return memory.reserved() == GiB ? 0 : 1;
          }) == 0);
    CHECK(test::in_child([] {
              limit(RLIMIT_AS, mapped_bytes() + 200 * MiB);
              try {
                  SharedMemory::create(64 * GiB, MiB);
              } catch (mp::MemoryError const& error) {
                  return std::strstr(error.what(), "RLIMIT_AS") != nullptr ? 0 : 2;
              }
              return 1;
          }) == 0);
}

TEST_CASE("SharedMemory: works over a file of /dev/shm, which it takes ahead", "[platform]") {
    SharedMemory memory = SharedMemory::attach(platform::detail::make_unlinked_memory(), GiB);
    REQUIRE(memory.grow(4 * MiB));
    CHECK(memory.resident() >= 4 * MiB);
    CHECK(all_zero(memory.data(), 4 * MiB));
    CHECK(!memory.give_back(0, MiB));
    CHECK(memory.grow(2 * MiB));
    CHECK(memory.size() == 4 * MiB);
}

TEST_CASE("page_size: is a power of two", "[platform][threads]") {
    CHECK(platform::page_size() >= 4096);
    CHECK((platform::page_size() & (platform::page_size() - 1)) == 0);
}
