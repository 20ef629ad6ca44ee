// SPDX-License-Identifier: MIT
// tests/process/authkey_test.cpp — the family's secret goes down the tree and nowhere else.
#include <multiprocessing/process/authkey.hpp>

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace mp = multiprocessing;

namespace {

/// A queue of the tree may carry the bytes; the type itself cannot be pickled.
std::vector<std::byte> bytes_of(mp::AuthenticationString const& key) {
    return {key.bytes().begin(), key.bytes().end()};
}

using Keys = std::vector<std::vector<std::byte>>;
void tell_keys(mp::Queue<Keys> q) {
    q.put({bytes_of(mp::current_process().authkey()),
           bytes_of(mp::Process(test::nothing).authkey())});
}

}  // namespace

TEST_CASE("authkey: random in the main process, and long enough", "[process]") {
    // CPython: _TestProcess.test_current
    CHECK(mp::current_process().authkey().size() == 32);
    CHECK(mp::AuthenticationString::random() != mp::AuthenticationString::random());
}

TEST_CASE("authkey: a child has its creator's, unless another one was set", "[process]") {
    // CPython: _TestProcess.test_process
    auto const ctx = test::each_context();
    auto q = ctx.Queue<Keys>();
    auto p = ctx.Process(tell_keys, q);
    CHECK(p.authkey() == mp::current_process().authkey());
    CHECK(test::run(p) == 0);
    auto const mine = bytes_of(mp::current_process().authkey());
    CHECK(q.get() == Keys{mine, mine});

    auto other = ctx.Process(tell_keys, q);
    other.authkey("abracadabra");
    CHECK(test::run(other) == 0);
    auto const given = bytes_of(mp::AuthenticationString("abracadabra"));
    CHECK(q.get() == Keys{given, given});
    other.close();
    CHECK(other.authkey() == "abracadabra");
}

TEST_CASE("authkey: the current process's own goes to what it makes from then on", "[process]") {
    auto const before = mp::current_process().authkey();
    mp::Process const older(test::nothing);
    mp::current_process().authkey("new");
    CHECK(mp::Process(test::nothing).authkey() == "new");
    CHECK(older.authkey() == before);
    mp::current_process().authkey(before);
    static_assert(!mp::Picklable<mp::AuthenticationString>);
    static_assert(!fmt::is_formattable<mp::AuthenticationString>::value);
}
