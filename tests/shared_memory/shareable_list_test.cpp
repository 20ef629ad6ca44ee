// SPDX-License-Identifier: MIT
#include <multiprocessing/context.hpp>
#include <multiprocessing/shared_memory.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"

#include <cstdint>
#include <limits>
#include <string>

namespace mp = multiprocessing;
using mp::shared_memory::ShareableList;

namespace {

struct MadeList {
    ShareableList list;
    ~MadeList() {
        if (mp::platform::memory_names_persist) mp::platform::unlink_memory(list.shm().name());
    }
};

mp::List mixed() {
    return {"howdy", mp::Bytes("HoWdY"), -273.154, 100, mp::None, true, 42};
}

void change(ShareableList list) {
    list[0] = "child";
    list[-1] = list[3].to<int>() + 1;
}

}  // namespace

// CPython: _TestSharedMemory.test_shared_memory_ShareableList_basics
TEST_CASE("ShareableList: items, their text, and indices from both ends", "[shared_memory]") {
    MadeList const made{ShareableList(mixed())};
    auto const& list = made.list;
    CHECK(list.size() == 7);
    CHECK(fmt::format("{}", list) ==
          fmt::format(
              "ShareableList(['howdy', b'HoWdY', -273.154, 100, None, True, 42], name='{}')",
              list.shm().name()));
    CHECK(mp::List(list) == mixed());
    CHECK(list[4] == mp::None);
    CHECK(list[-2] == true);
    CHECK(list[-7] == "howdy");
    CHECK_THROWS_AS(list.at(7), mp::IndexError);
    CHECK_THROWS_AS(list.at(-8), mp::IndexError);
    CHECK_THROWS_WITH(list[7] = 2, "assignment index out of range");
    CHECK(list.format() == "8s8sdqxxxxxx?xxxxxxxx?q");
    CHECK(list.count(42) == 1);
    CHECK(list.count("other") == 0);
    CHECK(list.index(-273.154) == 2);
    CHECK_THROWS_AS(list.index("other"), mp::ValueError);
}

// CPython: _TestSharedMemory.test_shared_memory_ShareableList_basics
TEST_CASE("ShareableList: an item changes its type if it fits", "[shared_memory]") {
    MadeList const made{ShareableList(mixed())};
    auto const& list = made.list;
    list[3] = 42.5;
    CHECK(list[3] == 42.5);
    list[3] = "some";
    CHECK(list[3] == "some");
    CHECK(list.format() == "8s8sd8sxxxxxx?xxxxxxxx?q");
    list[0] = "12345678";
    CHECK_THROWS_WITH(list[0] = "123456789", "bytes/str item exceeds available storage");
    CHECK(list[0] == "12345678");
    list[0] = mp::None;
    list[0] = std::numeric_limits<std::int64_t>::min();
    CHECK(list[0] == std::numeric_limits<std::int64_t>::min());
    CHECK_THROWS_AS((list[0] = mp::List{1}), mp::KeyError);
    CHECK_THROWS_AS(ShareableList(mp::List{mp::Object(mp::List{1})}), mp::KeyError);
    CHECK_THROWS_AS(ShareableList(mp::List{std::numeric_limits<std::uint64_t>::max()}),
                    mp::OverflowError);
    CHECK(list[0] == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("ShareableList: no NUL and no character is lost", "[shared_memory]") {
    std::string const nul("a\0b\0\0", 5);
    MadeList const made{ShareableList(mp::List{nul, mp::Bytes(nul), "ééééééé", ""})};
    CHECK(made.list[0] == nul);
    CHECK(made.list[1] == mp::Bytes(nul));
    CHECK(made.list[2] == "ééééééé");
    CHECK(made.list[3] == "");
}

// CPython: _TestSharedMemory.test_shared_memory_ShareableList_basics
TEST_CASE("ShareableList: a name, a duplicate, an empty one", "[shared_memory]") {
    auto const name = fmt::format("mp_test_{}_list", mp::platform::process_id());
    MadeList const made{ShareableList(mp::List{1, 2}, {.name = name})};
    CHECK(made.list.shm().name() == name);
    ShareableList const second({.name = name});
    second[0] = 5;
    CHECK(made.list[0] == 5);
    MadeList const duplicate{ShareableList(mp::List(made.list))};
    CHECK(duplicate.list.shm().name() != name);
    CHECK(mp::List(duplicate.list) == mp::List{5, 2});
    MadeList const empty{ShareableList(mp::List{})};
    CHECK(empty.list.size() == 0);
    CHECK(empty.list.format().empty());
    CHECK_THROWS_AS(empty.list.index(""), mp::ValueError);

    mp::shared_memory::SharedMemory const other({.create = true, .size = 64});
    CHECK_THROWS_AS(ShareableList({.name = other.name()}), mp::RuntimeError);
    if (mp::platform::memory_names_persist) other.unlink();
    auto closed = second;
    closed.shm().close();
    CHECK_THROWS_AS(second.at(0), mp::ValueError);
}

// CPython: _TestSharedMemory.test_shared_memory_ShareableList_pickling,
// test_shared_memory_ShareableList_pickling_dead_object
TEST_CASE("ShareableList: pickled by its name", "[shared_memory]") {
    MadeList const small{ShareableList(mp::List(std::vector<int>(10)))};
    MadeList const large{ShareableList(mp::List(std::vector<int>(1000)))};
    auto const pickled = mp::dumps(small.list);
    CHECK(pickled.size() == mp::dumps(large.list).size());
    auto const again = mp::loads<ShareableList>(pickled);
    again[-1] = 20;
    CHECK(small.list[-1] == 20);
    if (!mp::platform::memory_names_persist) return;
    small.list.shm().unlink();
    CHECK_THROWS_AS(mp::loads<ShareableList>(pickled), mp::FileNotFoundError);
}

TEST_CASE("ShareableList: what a child changes is seen by its parent", "[shared_memory]") {
    auto const context = test::each_context();
    MadeList const made{ShareableList(mixed())};
    auto process = context.Process(change, made.list);
    process.start();
    process.join();
    CHECK(process.exitcode() == 0);
    process.close();
    CHECK(made.list[0] == "child");
    CHECK(made.list[-1] == 101);
}
