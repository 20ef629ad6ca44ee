// SPDX-License-Identifier: MIT
// tests/platform/handle_test.cpp — owned handles.
#include <multiprocessing/platform/handle.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "support/catch.hpp"
#include "support/host.hpp"

#include <cstddef>
#include <utility>

namespace mp = multiprocessing;
namespace platform = mp::platform;

namespace {

bool is_open(platform::native_handle handle) {
    try {
        platform::duplicate(handle);
        return true;
    } catch (mp::OSError const&) {
        return false;
    }
}

}  // namespace

TEST_CASE("Handle: closes what it owns, and moves it", "[platform]") {
    auto [first, second] = platform::pipe_pair();
    platform::native_handle const raw = first.get();
    {
        platform::Handle const taken = std::move(first);
        CHECK(!first);
        CHECK(taken.get() == raw);
        CHECK(is_open(raw));
    }
    CHECK(!is_open(raw));

    platform::native_handle const released = second.release();
    CHECK(!second);
    CHECK(is_open(released));
    platform::Handle again(released);
    again.reset();
    CHECK(!is_open(released));
}

TEST_CASE("Handle: assignment to itself keeps the handle", "[platform]") {
    platform::Handle handle = platform::pipe_pair().first;
    platform::Handle& same = handle;
    handle = std::move(same);
    CHECK(is_open(handle.get()));
}

TEST_CASE("duplicate: the copy is the same object and not inheritable", "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    platform::Handle const copy = platform::duplicate(writer.get());
    CHECK(!test::is_inheritable(copy.get()));
    writer.reset();
    std::byte const sent[]{std::byte{7}};
    platform::write_all(copy.get(), sent);
    std::byte received[2]{};
    CHECK(platform::read_some(reader.get(), received) == 1);
    CHECK(received[0] == std::byte{7});
    CHECK_THROWS_AS(platform::duplicate(platform::invalid_handle), mp::OSError);
}

TEST_CASE("set_inheritable: changes only that", "[platform]") {
    platform::Handle const handle = platform::pipe_pair().first;
    platform::set_inheritable(handle.get(), true);
    CHECK(test::is_inheritable(handle.get()));
    platform::set_inheritable(handle.get(), false);
    CHECK(!test::is_inheritable(handle.get()));
}
