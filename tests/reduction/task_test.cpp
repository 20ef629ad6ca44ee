// SPDX-License-Identifier: MIT
// tests/reduction/task_test.cpp — reduction/task.hpp
#include <multiprocessing/reduction/task.hpp>

#include "reduction/loaded_modules.hpp"
#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace test;
using Catch::Matchers::ContainsSubstring;
using mp::UnpicklingError;

namespace {

int calls = 0;

int square(int x) { return x * x; }
int square_again(int x) { return x * x; }
std::string repeat(std::string const& s, int n) {
    std::string result;
    while (n-- > 0) result += s;
    return result;
}
void note() { ++calls; }
std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }
std::map<std::string, int> const& shared_table() {
    static std::map<std::string, int> const table{{"a", 1}};
    return table;
}
char const* literal() { return "text"; }
std::vector<int> fail(int x) {
    if (x > 0) throw std::out_of_range("too much");
    return {};
}

struct Unpicklable {
    explicit Unpicklable(int* p) : pointer(p) {}
    int* pointer;
};
Unpicklable unpicklable() { return Unpicklable(&calls); }

struct Till {
    int balance;
    int plus(int x) const { return balance + x; }
};

}  // namespace

static_assert(reduction::InvocableTask<int (&)(int), int>);
static_assert(reduction::InvocableTask<std::string (&)(std::string const&, int), char const (&)[3],
                                       short>);
static_assert(!reduction::InvocableTask<int (&)(int)>);
static_assert(!reduction::InvocableTask<int (&)(int), std::string>);
static_assert(!reduction::InvocableTask<void (*)(int&), int&>, "there is nobody to see the change");
static_assert(std::is_same_v<reduction::task_result_t<decltype(literal)>, std::string>);
static_assert(std::is_same_v<reduction::task_result_t<decltype(note)>, void>);
static_assert(std::is_same_v<reduction::task_result_t<decltype(shared_table)>,
                             std::map<std::string, int>>);

TEST_CASE("task: is called with its arguments and gives its result", "[task]") {
    CHECK(called(square, 7) == 49);
    CHECK(called(&square_again, 8) == 64);
    CHECK(called(repeat, "ab", 3) == "ababab");
    CHECK(called(repeat, std::string("x"), short{2}) == "xx");
    CHECK(called([](auto a, auto b) { return a < b; }, 1, 2.5));
    CHECK(called(&Till::plus, Till{4}, 5) == 9);
    CHECK(called(&Till::balance, Till{4}) == 4);
    CHECK(called(mp::partial(repeat, "ab"), 2) == "abab");
}

TEST_CASE("task: results may be void, move-only, references or literals", "[task]") {
    calls = 0;
    called(note);
    CHECK(calls == 1);
    CHECK(*called(boxed, 5) == 5);
    CHECK(called(shared_table) == shared_table());
    CHECK(called(literal) == "text");
}

TEST_CASE("task: arguments may be move-only", "[task]") {
    auto const open = [](std::unique_ptr<int> p, std::vector<std::unique_ptr<int>> more) {
        return *p + static_cast<int>(more.size());
    };
    std::vector<std::unique_ptr<int>> more;
    more.push_back(nullptr);
    CHECK(called(open, std::make_unique<int>(4), more) == 5);
}

TEST_CASE("task: what the function throws comes out", "[task]") {
    auto const bytes = task(fail, 1);
    CHECK_THROWS_AS(run<std::vector<int>>(bytes), std::out_of_range);
    CHECK(run<std::vector<int>>(task(fail, 0)).empty());
}

TEST_CASE("task: a target's result is dropped, whatever it is", "[task]") {
    auto const bytes = written([](mp::Writer& out) { reduction::dump_target(out, unpicklable); });
    mp::Reader in(bytes, mp::Origin::tree);
    mp::Writer result;
    reduction::load_task(in).run(in, &result);
    CHECK(result.size() == 0);
    auto const wanted = task(square, 3);
    mp::Reader again(wanted, mp::Origin::tree);
    CHECK_NOTHROW(reduction::load_task(again).run(again));
}

TEST_CASE("task: says what it will call", "[task]") {
    auto const bytes = task(repeat, "", 0);
    mp::Reader in(bytes, mp::Origin::tree);
    CHECK(std::string(reduction::load_task(in).function()).find("(*)(") != std::string::npos);
}

TEST_CASE("task: of another module runs there", "[task]") {
    for (auto const& module : loaded_modules()) {
        INFO(module.name);
        auto const by = [](auto dump) { return written([&](mp::Writer& out) { dump(out); }); };
        CHECK(run<int>(by(module.functions->dump_lambda)) == 42);
        CHECK_THROWS_AS(run<int>(by(module.functions->dump_throwing)), mp::ValueError);
        CHECK(called(module.functions->twice, 21) == 42);
        CHECK(called(module.functions->also_twice, 22) == 44);
    }
}

TEST_CASE("task: a result of another type is refused", "[task]") {
    CHECK_THROWS_AS(run<long long>(task(square, 3)), UnpicklingError);
    CHECK_THROWS_AS(run<std::string>(task(square, 3)), UnpicklingError);
}

TEST_CASE("task: a null function is refused when it is written", "[task]") {
    int (*none)(int) = nullptr;
    int (Till::*no_member)(int) const = nullptr;
    CHECK_THROWS_AS(task(none, 1), mp::PicklingError);
    CHECK_THROWS_AS(task(no_member, Till{1}, 1), mp::PicklingError);
}

TEST_CASE("task: short and longer bytes are refused before the call", "[task]") {
    auto const size = [](std::string const& s) { return static_cast<int>(s.size()) + calls++; };
    auto const whole = task(size, "some text");
    calls = 0;
    for (std::size_t n = 0; n < whole.size(); ++n)
        CHECK_THROWS_AS(run<int>(std::span(whole).first(n)), UnpicklingError);
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK_THROWS_AS(run<int>(longer), UnpicklingError);
    CHECK(calls == 0);
    CHECK(run<int>(whole) == 9);
}

TEST_CASE("task: no change of one byte makes another task", "[task]") {
    auto const whole = written([](mp::Writer& out) {
        using Instance = reduction::detail::TaskOf<true, int (*)(int), int>;
        reduction::dump_descriptor(out, reduction::Described<Instance>::descriptor);
    });
    task(square, 1);  // more descriptors to be mistaken for
    int believed = 0;
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            auto bytes = whole;
            bytes[i] ^= static_cast<std::byte>(1 << bit);
            mp::Reader in(bytes, mp::Origin::tree);
            try {
                static_cast<void>(reduction::load_task(in));
                ++believed;
            } catch (UnpicklingError const&) {}
        }
    CHECK(believed == 0);
}

TEST_CASE("task: bytes from outside the tree are no task", "[task]") {
    auto const bytes = task(square, 1);
    mp::Reader in(bytes, mp::Origin::outside);
    CHECK_THROWS_WITH(reduction::load_task(in), ContainsSubstring("outside the process tree"));
}
