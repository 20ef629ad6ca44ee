// SPDX-License-Identifier: MIT
// tests/reduction/callable_test.cpp — reduction/callable.hpp
#include <multiprocessing/reduction/callable.hpp>

#include "reduction/loaded_modules.hpp"
#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

using namespace test;
using mp::PortableCallable;
using mp::UnpicklingError;

namespace {

int plus_one(int x) { return x + 1; }
int plus_one_again(int x) { return x + 1; }
int plus_two(int x) noexcept { return x + 2; }
int sum_of(int count, ...) { return count; }

struct Functor {
    int operator()(int x) const { return 3 * x; }
    std::string operator()(std::string const& s) const { return s + s; }
};
struct FinalFunctor final {
    int operator()() const { return 4; }
};
struct WithoutDefault {
    explicit WithoutDefault(int) {}
    int operator()() const { return 5; }
};
struct Adder {
    int n;
    int operator()(int x) const { return x + n; }
};
struct Nothing {};

class Counter {
public:
    explicit Counter(int start) : count_(start) {}
    int operator()() { return count_++; }
    int count() const { return count_; }

private:
    int count_;
};

struct Job {
    std::string name;
    int (*function)(int);
    int (*none)(int) = nullptr;
};

}  // namespace

template <>
struct multiprocessing::pickle<Counter> {
    static void dump(Writer& out, Counter const& counter) { out.write(counter.count()); }
    static Counter load(Reader& in) { return Counter(in.read<int>()); }
};

static_assert(PortableCallable<int (*)(int)>);
static_assert(PortableCallable<int (*)(int) noexcept>);
static_assert(PortableCallable<int (*)(int, ...)>);
static_assert(PortableCallable<Functor> && PortableCallable<FinalFunctor>);
static_assert(PortableCallable<WithoutDefault>);
static_assert(PortableCallable<std::plus<>> && PortableCallable<std::negate<int>>);
static_assert(PortableCallable<Adder> && PortableCallable<Counter>);
static_assert(PortableCallable<int (Counter::*)() const>);
static_assert(!PortableCallable<int> && !PortableCallable<int*> && !PortableCallable<void*>);
static_assert(!PortableCallable<int(int)>, "a function is stored as a pointer");
static_assert(!PortableCallable<std::function<int(int)>>);
static_assert(!mp::reduction::CapturelessFunctor<Nothing>);
static_assert(std::is_same_v<reduction::stored_t<char const (&)[4]>, std::string>);
static_assert(std::is_same_v<reduction::stored_t<char*>, std::string>);
static_assert(std::is_same_v<reduction::stored_t<int(int)>, int (*)(int)>);
static_assert(std::is_same_v<reduction::stored_t<int const&>, int>);

TEST_CASE("callable: a function crosses", "[callable]") {
    CHECK(crossed(&plus_one) == &plus_one);
    CHECK(crossed(&plus_two)(1) == 3);
    CHECK(crossed(&sum_of) == &sum_of);
    int (*none)(int) = nullptr;
    CHECK(crossed(none) == nullptr);
}

TEST_CASE("callable: functions of one signature and one body stay what they are", "[callable]") {
    CHECK(crossed(&plus_one) == &plus_one);
    CHECK(crossed(&plus_one_again) == &plus_one_again);
}

TEST_CASE("callable: a function of another module crosses", "[callable]") {
    for (auto const& module : loaded_modules()) {
        INFO(module.name);
        auto const& f = *module.functions;
        CHECK(crossed(f.twice) == f.twice);
        CHECK(crossed(f.also_twice) == f.also_twice);
        auto const theirs = written([&](mp::Writer& out) { f.dump_function(out); });
        CHECK(unpickled<int (*)(int)>(theirs) == f.twice);
        auto const ours = pickled(&plus_one);
        mp::Reader in(ours, mp::Origin::tree);
        CHECK(f.load_and_call(in, 10) == 11);
    }
    auto const between = written([&](mp::Writer& out) { plugin_functions().dump_function(out); });
    mp::Reader in(between, mp::Origin::tree);
    CHECK(reduction_shared_functions()->load_and_call(in, 10) == 20);
}

TEST_CASE("callable: a function of another type is refused", "[callable]") {
    auto const bytes = pickled(&plus_one);
    CHECK_THROWS_AS(unpickled<int (*)(long)>(bytes), UnpicklingError);
    CHECK_THROWS_AS(unpickled<int (*)(int) noexcept>(bytes), UnpicklingError);
    CHECK_THROWS_AS(unpickled<Functor>(bytes), UnpicklingError);
    CHECK_THROWS_AS(unpickled<int (Counter::*)() const>(bytes), UnpicklingError);
}

TEST_CASE("callable: lambdas that capture nothing cross", "[callable]") {
    auto const plain = [](int x) { return x * 7; };
    auto const generic = [](auto const& x) { return x + x; };
    auto const defaulted = [=](int x) { return x + 100; };
    auto const by_reference = [&](int x) { return x + 200; };
    CHECK(crossed(plain)(6) == 42);
    CHECK(crossed(generic)(4) == 8);
    CHECK(crossed(generic)(std::string("ab")) == "abab");
    CHECK(crossed(defaulted)(1) == 101);
    CHECK(crossed(by_reference)(1) == 201);
}

TEST_CASE("callable: a lambda is not taken for its neighbour", "[callable]") {
    auto const first = [](int x) { return x + 1; };
    auto const second = [](int x) { return x + 2; };
    auto const bytes = pickled(first);
    using First = std::remove_const_t<decltype(first)>;
    using Second = std::remove_const_t<decltype(second)>;
    CHECK(unpickled<First>(bytes)(1) == 2);
    CHECK_THROWS_AS(unpickled<Second>(bytes), UnpicklingError);
}

TEST_CASE("callable: a lambda that captures does not cross", "[callable]") {
    int n = 1;
    auto const by_value = [n](int x) { return x + n; };
    auto const by_reference = [&n](int x) { return x + n; };
    STATIC_REQUIRE_FALSE(PortableCallable<std::remove_const_t<decltype(by_value)>>);
    STATIC_REQUIRE_FALSE(PortableCallable<std::remove_const_t<decltype(by_reference)>>);
    CHECK(by_value(1) + by_reference(1) == 4);
}

TEST_CASE("callable: functors cross", "[callable]") {
    CHECK(crossed(Functor{})(2) == 6);
    CHECK(crossed(Functor{})("x") == "xx");
    CHECK(crossed(FinalFunctor{})() == 4);
    CHECK(crossed(WithoutDefault(1))() == 5);
    CHECK(crossed(std::plus<>{})(2, 3) == 5);
    CHECK(crossed(Adder{5})(1) == 6);
    CHECK(crossed(Counter(8))() == 8);
}

TEST_CASE("callable: functions may be members of what crosses", "[callable]") {
    auto const job = crossed(Job{"one", &plus_one});
    CHECK(job.name == "one");
    CHECK(job.function(1) == 2);
    CHECK(job.none == nullptr);
    auto const table = crossed(std::vector<int (*)(int)>{&plus_one, nullptr, &plus_one_again});
    CHECK(table == std::vector<int (*)(int)>{&plus_one, nullptr, &plus_one_again});
    auto const mixed = crossed(std::tuple{&plus_one, Functor{}, 3});
    CHECK(std::get<0>(mixed)(std::get<1>(mixed)(std::get<2>(mixed))) == 10);
}

TEST_CASE("callable: bytes from outside the tree hold no function", "[callable]") {
    auto const lambda = [] { return 1; };
    using Lambda = std::remove_const_t<decltype(lambda)>;
    CHECK_THROWS_AS(unpickled<int (*)(int)>(pickled(&plus_one), mp::Origin::outside),
                    UnpicklingError);
    CHECK_THROWS_AS(unpickled<Lambda>(pickled(lambda), mp::Origin::outside), UnpicklingError);
    CHECK_THROWS_AS(mp::loads<Job>(mp::dumps(Job{"one", &plus_one})), UnpicklingError);
}

TEST_CASE("callable: no change of one byte makes a function lie elsewhere than in code",
          "[callable]") {
    auto const whole = pickled(&plus_one);
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            auto bytes = whole;
            bytes[i] ^= static_cast<std::byte>(1 << bit);
            try {
                auto const function = unpickled<int (*)(int)>(bytes);
                if (function == nullptr) continue;
                auto const at = reinterpret_cast<std::uintptr_t>(function);
                CHECK(mp::platform::main_module().in_code(at));
            } catch (UnpicklingError const&) {}
        }
}
