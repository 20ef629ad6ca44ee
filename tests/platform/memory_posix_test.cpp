// SPDX-License-Identifier: MIT
// tests/platform/memory_posix_test.cpp — the limits of a process, sparse memory, files in /dev/shm.
#include <multiprocessing/platform/memory.hpp>

#include <multiprocessing/errors.hpp>

#include "platform/bytes.hpp"
#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <sys/resource.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using platform::SharedMemory;
using test::GiB, test::MiB, test::all_zero;

namespace {

void limit(int resource, std::size_t bytes) {
    rlimit const value{bytes, bytes};
    ::setrlimit(static_cast<__rlimit_resource_t>(resource), &value);
}

std::size_t mapped_bytes() {
    platform::detail::SmallFile<128> const file("/proc/self/statm");
    return platform::detail::leading_number(file.text()).value() * platform::page_size();
}

}  // namespace

TEST_CASE("SharedMemory: occupies nothing before it is touched", "[platform]") {
    SharedMemory memory = SharedMemory::create(64 * GiB, MiB);
    CHECK(memory.resident() == 0);
    REQUIRE(memory.grow(2 * GiB));
    memory.data()[2 * GiB - 1] = std::byte{1};
    CHECK(memory.resident() < 16 * MiB);
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
