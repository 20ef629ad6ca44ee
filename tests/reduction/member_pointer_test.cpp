// SPDX-License-Identifier: MIT
// tests/reduction/member_pointer_test.cpp — reduction/member_pointer.hpp
#include <multiprocessing/reduction/member_pointer.hpp>

#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <functional>
#include <string>

using namespace test;
using mp::UnpicklingError;

namespace {

struct Account {
    int balance = 0;
    std::string owner;

    int plus(int x) const { return balance + x; }
    int less(int x) const noexcept { return balance - x; }
    int twice() & { return 2 * balance; }
    int thrice() && { return 3 * balance; }
    void set(int x) { balance = x; }
};

struct Shape {
    virtual ~Shape() = default;
    virtual std::string name() const { return "shape"; }
    virtual int corners() const = 0;
};
struct Square : Shape {
    std::string name() const override { return "square"; }
    int corners() const override { return 4; }
};

struct Left {
    virtual ~Left() = default;
    int left = 1;
    int get_left() const { return left; }
};
struct Right {
    virtual ~Right() = default;
    int right = 2;
    int get_right() const { return right; }
    virtual int call_right() const { return right; }
};
struct Both : Left, Right {
    int call_right() const override { return 10 * right; }
};

// The sanitizer of g++ 12 takes the adjusted `this` of any such call for a wrong object.
template <class R>
__attribute__((no_sanitize("undefined"))) R call(R (Both::*member)() const, Both const& both) {
    return (both.*member)();
}

}  // namespace

TEST_CASE("member pointer: member functions cross", "[member_pointer]") {
    Account account{10, "lily"};
    CHECK(std::invoke(crossed(&Account::plus), account, 5) == 15);
    CHECK(std::invoke(crossed(&Account::less), account, 5) == 5);
    CHECK(std::invoke(crossed(&Account::twice), account) == 20);
    CHECK(std::invoke(crossed(&Account::thrice), Account{2, ""}) == 6);
    std::invoke(crossed(&Account::set), account, 7);
    CHECK(account.balance == 7);
    CHECK(crossed(&Account::plus) == &Account::plus);
}

TEST_CASE("member pointer: data members cross", "[member_pointer]") {
    Account account{10, "lily"};
    CHECK(account.*crossed(&Account::balance) == 10);
    CHECK(account.*crossed(&Account::owner) == "lily");
    CHECK(crossed(&Account::owner) == &Account::owner);
}

TEST_CASE("member pointer: a virtual function is the object's", "[member_pointer]") {
    Square const square;
    Shape const& shape = square;
    CHECK(std::invoke(crossed(&Shape::name), shape) == "square");
    CHECK(std::invoke(crossed(&Shape::corners), shape) == 4);
    CHECK(std::invoke(crossed(&Square::name), square) == "square");
    CHECK(crossed(&Shape::corners) == &Shape::corners);
}

TEST_CASE("member pointer: a member of a second base is found in the derived", "[member_pointer]") {
    Both const both;
    using Get = int (Both::*)() const;
    CHECK(call(crossed(static_cast<Get>(&Both::get_left)), both) == 1);
    CHECK(call(crossed(static_cast<Get>(&Both::get_right)), both) == 2);
    CHECK(call(crossed(static_cast<Get>(&Right::call_right)), both) == 20);
    using Data = int Both::*;
    CHECK(both.*crossed(static_cast<Data>(&Both::right)) == 2);
}

TEST_CASE("member pointer: null stays null", "[member_pointer]") {
    int (Account::*function)(int) const = nullptr;
    int Account::*data = nullptr;
    CHECK(crossed(function) == nullptr);
    CHECK(crossed(data) == nullptr);
    int (Account::*first)(int) const = &Account::plus;
    CHECK(crossed(first) != nullptr);
    int Account::*offset_zero = &Account::balance;
    CHECK(crossed(offset_zero) != nullptr);
}

TEST_CASE("member pointer: a member of a derived class does not fit into its base",
          "[member_pointer]") {
    int Both::*right = &Both::right;
    CHECK_THROWS_AS(pickled(static_cast<int Left::*>(right)), mp::PicklingError);
    auto const in_base = static_cast<int (Right::*)() const>(&Both::call_right);
    CHECK_THROWS_AS(pickled(in_base), mp::PicklingError);
}

TEST_CASE("member pointer: forged ones are refused", "[member_pointer]") {
    auto const& home = mp::platform::main_module();
    enum Tag : std::uint8_t { null = 1, function, virtual_function, data };
    auto const forged = [](std::uint8_t tag, auto... sizes) {
        return written([&](mp::Writer& out) {
            out.raw(&tag, 1);
            (out.write_size(static_cast<std::uint64_t>(sizes)), ...);
        });
    };
    auto const load = [&]<class T>(T, Bytes const& bytes) {
        mp::Reader in(bytes, mp::Origin::tree);
        return reduction::load_member<T>(in, home);
    };
    auto const number = &Account::balance;
    CHECK(load(number, forged(data, 0)) == number);
    CHECK_THROWS_AS(load(number, forged(data, sizeof(Account))), UnpicklingError);
    CHECK_THROWS_AS(load(number, forged(data, sizeof(Account) - 3)), UnpicklingError);
    CHECK_THROWS_AS(load(number, forged(data, -8)), UnpicklingError);
    CHECK_THROWS_AS(load(number, forged(function, 0)), UnpicklingError);
    CHECK_THROWS_AS(load(number, forged(9, 0)), UnpicklingError);

    auto const plain = &Account::plus;
    CHECK_THROWS_AS(load(plain, forged(virtual_function, 0, 0)), UnpicklingError);
    CHECK_THROWS_AS(load(plain, forged(data, 0)), UnpicklingError);
    CHECK_THROWS_AS(load(plain, forged(function, /* known module */ 1, 0, 0)), UnpicklingError);

    auto const virtual_one = &Shape::name;
    CHECK_THROWS_AS(load(virtual_one, forged(virtual_function, 4, 0)), UnpicklingError);
    CHECK_THROWS_AS(load(virtual_one, forged(virtual_function, 1 << 20, 0)), UnpicklingError);
    CHECK_THROWS_AS(load(virtual_one, forged(virtual_function, 0, 1 << 20)), UnpicklingError);
}
