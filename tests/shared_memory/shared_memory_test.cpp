// SPDX-License-Identifier: MIT
#include <multiprocessing/context.hpp>
#include <multiprocessing/shared_memory.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace mp = multiprocessing;
using mp::shared_memory::SharedMemory;

namespace {

/// The name goes with the test, whatever happens in it.
struct Made {
    SharedMemory block;
    ~Made() {
        if (mp::platform::memory_names_persist) mp::platform::unlink_memory(block.name());
    }
};

std::string own_name(char const* suffix) {
    return fmt::format("mp_test_{}_{}", mp::platform::process_id(), suffix);
}

void attach_and_write(std::string const& name) {
    SharedMemory block({.name = name});
    block.buf<char>()[0] = 'c';
}

void write_into(SharedMemory block) { block.buf<char>()[1] = 'h'; }

}  // namespace

// CPython: _TestSharedMemory.test_shared_memory_basics
TEST_CASE("SharedMemory: a name, a size, bytes, and the same under the same name",
          "[shared_memory]") {
    Made const made{SharedMemory({.name = own_name("basics"), .create = true, .size = 512})};
    auto const& block = made.block;
    CHECK(block.name() == own_name("basics"));
    CHECK(block.size() == 512);
    REQUIRE(block.buf().size() == 512);
    CHECK(std::ranges::all_of(block.buf<char>(), [](char c) { return c == 0; }));
    CHECK(fmt::format("{}", block) ==
          fmt::format("SharedMemory('{}', size=512)", own_name("basics")));

    block.buf<char>()[0] = 42;
    SharedMemory same({.name = block.name(), .size = 7});
    CHECK(same.size() >= 512);  // whatever was asked for; Windows rounds up
    CHECK(same.buf<char>()[0] == 42);
    same.buf<char>()[511] = 43;
    CHECK(block.buf<char>()[511] == 43);

    CHECK_THROWS_AS(SharedMemory({.name = block.name(), .create = true, .size = 8}),
                    mp::FileExistsError);
    auto const size = same.size();
    same.close();
    same.close();
    CHECK(same.buf().empty());
    CHECK(same.size() == size);
    CHECK(block.buf<char>()[0] == 42);
}

// CPython: _TestSharedMemory.test_shared_memory_basics
TEST_CASE("SharedMemory: what does not exist is not found", "[shared_memory]") {
    CHECK_THROWS_AS(SharedMemory({.name = own_name("nobody")}), mp::FileNotFoundError);
    if (!mp::platform::memory_names_persist) return;
    SharedMemory const block({.create = true, .size = 1});
    block.unlink();
    CHECK_THROWS_AS(block.unlink(), mp::FileNotFoundError);
    CHECK_THROWS_AS(SharedMemory({.name = block.name()}), mp::FileNotFoundError);
    CHECK(block.buf().size() == 1);  // lives as long as somebody maps it
}

// CPython: _TestSharedMemory.test_shared_memory_recreate
TEST_CASE("SharedMemory: a made-up name is nobody else's", "[shared_memory]") {
    Made const a{SharedMemory({.create = true, .size = 1})};
    Made const b{SharedMemory({.create = true, .size = 1})};
    CHECK(a.block.name() != b.block.name());
    CHECK(a.block.name().starts_with(mp::platform::memory_names_persist ? "psm_" : "wnsm_"));
}

// CPython: _TestSharedMemory.test_invalid_shared_memory_creation
TEST_CASE("SharedMemory: a size is needed, and a name to attach", "[shared_memory]") {
    CHECK_THROWS_AS(SharedMemory({.create = true, .size = -1}), mp::ValueError);
    CHECK_THROWS_AS(SharedMemory({.create = true, .size = 0}), mp::ValueError);
    CHECK_THROWS_AS(SharedMemory({.create = true}), mp::ValueError);
    CHECK_THROWS_AS(SharedMemory({}), mp::ValueError);
    CHECK_THROWS_AS(SharedMemory({.name = "a/b", .create = true, .size = 1}), mp::ValueError);
    CHECK_THROWS_AS(SharedMemory({.name = "", .create = true, .size = 1}), mp::ValueError);
}

// CPython: _TestSharedMemory.test_shared_memory_name_with_embedded_null
TEST_CASE("SharedMemory: no NUL in a name", "[shared_memory]") {
    CHECK_THROWS_AS(SharedMemory({.name = std::string("a\0b", 3), .create = true, .size = 1}),
                    mp::ValueError);
    CHECK_THROWS_AS(SharedMemory({.name = std::string("a\0b", 3)}), mp::ValueError);
}

// CPython: TestSharedMemoryNames.test_that_shared_memory_name_with_colons_has_no_resource_tracker_errors
TEST_CASE("SharedMemory: a name with odd characters", "[shared_memory]") {
    for (auto const* const odd : {"a:b:c", "line\nbreak", "ünï çødé"}) {
        Made const made{SharedMemory({.name = own_name(odd), .create = true, .size = 16})};
        CHECK(SharedMemory({.name = own_name(odd)}).size() >= 16);
    }
}

// CPython: _TestSharedMemory.test_shared_memory_pickle_unpickle,
// test_shared_memory_pickle_unpickle_dead_object
TEST_CASE("SharedMemory: pickled by its name", "[shared_memory]") {
    Made const made{SharedMemory({.create = true, .size = 100})};
    made.block.buf<int>()[3] = 77;
    auto const pickled = mp::dumps(made.block);
    auto const again = mp::loads<SharedMemory>(pickled);
    CHECK(again.name() == made.block.name());
    CHECK(again.buf<int>()[3] == 77);
    again.buf<int>()[3] = 78;
    CHECK(made.block.buf<int>()[3] == 78);

    if (!mp::platform::memory_names_persist) return;
    made.block.unlink();
    CHECK_THROWS_AS(mp::loads<SharedMemory>(pickled), mp::FileNotFoundError);
}

// CPython: _TestSharedMemory.test_shared_memory_across_processes
TEST_CASE("SharedMemory: children attach by name, or get the object", "[shared_memory]") {
    auto const context = test::each_context();
    Made const made{SharedMemory({.create = true, .size = 10})};
    auto by_name = context.Process(attach_and_write, made.block.name());
    auto by_object = context.Process(write_into, made.block);
    for (auto* const process : {&by_name, &by_object}) {
        process->start();
        process->join();
        CHECK(process->exitcode() == 0);
        process->close();
    }
    CHECK(made.block.buf<char>()[0] == 'c');
    CHECK(made.block.buf<char>()[1] == 'h');
}

TEST_CASE("SharedMemory: memory that is not to be had is an error, and leaves no name",
          "[shared_memory]") {
    auto const name = own_name("huge");
    CHECK_THROWS_AS(SharedMemory({.name = name, .create = true, .size = std::int64_t{1} << 60}),
                    mp::MemoryError);
    CHECK_THROWS_AS(SharedMemory({.name = name}), mp::FileNotFoundError);
}
