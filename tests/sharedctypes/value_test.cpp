// SPDX-License-Identifier: MIT
#include <multiprocessing/sharedctypes.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/relative.hpp"

#include <array>
#include <cstring>
#include <mutex>
#include <thread>

namespace mp = multiprocessing;

namespace {

struct Point {
    double x, y;
    bool operator==(Point const&) const = default;
};
struct alignas(64) Wide {
    std::array<char, 100> bytes;
};

template <class V, class T>
void set_by_child(T first, T second) {
    auto const before = family::at_rest();
    {
        V const value(first);
        CHECK(value.value() == first);
        auto const set = [](V shared, T expected, T wished) {
            if (!(shared.value() == expected)) return 1;
            shared.value() = wished;
            return 0;
        };
        auto const child = test::start(set, value, first, second);
        CHECK(child.join() == 0);
        CHECK(value.value() == second);
    }
    CHECK(family::at_rest() == before);
}

}  // namespace

// CPython: _TestValue.test_value, test_rawvalue
TEST_CASE("Value, RawValue: what a child sets is seen by its parent", "[value]") {
    set_by_child<mp::Value<int>>(4343, 24234);
    set_by_child<mp::Value<double>>(3.625, -4.25);
    set_by_child<mp::Value<short>>(short{-232}, short{234});
    set_by_child<mp::Value<long long>>(1LL << 33, 1LL << 34);
    set_by_child<mp::Value<char>>('x', 'y');
    set_by_child<mp::Value<Point>>(Point{1, 2}, Point{3, 4});
    set_by_child<mp::RawValue<int>>(4343, 24234);
    set_by_child<mp::RawValue<double>>(3.625, -4.25);
    set_by_child<mp::RawValue<char>>('x', 'y');
}

// CPython: _TestValue.test_getobj_getlock
TEST_CASE("Value: its lock and its object", "[value][threads]") {
    mp::Value<int> value(5);
    mp::RLock& own = value.get_lock();
    value.acquire();
    CHECK(fmt::format("{}", own) == "<RLock(MainProcess, 1)>");
    CHECK(&value.get_obj() == &value.value());
    value.release();
    CHECK_FALSE(own.locked());
    {
        std::scoped_lock guard(value.get_lock());
        std::scoped_lock again(value);
        value.value() += 1;
    }
    CHECK(value.value() == 6);

    mp::Lock const lock;
    mp::Value<int, mp::Lock> const guarded(5, lock);
    mp::Value const other(2.5, lock);
    CHECK(guarded.get_lock() == lock);
    CHECK(other.get_lock() == lock);
    guarded.acquire();
    CHECK(lock.locked());
    CHECK_FALSE(other.acquire(false));
    guarded.release();

    mp::Value<int, mp::Lock> const simple(1);
    simple.acquire();
    CHECK_FALSE(simple.acquire(false));
    simple.release();
}

TEST_CASE("Value: zero without an initial value, also in memory that is used again",
          "[value][threads]") {
    for (int i = 0; i < 3; ++i) {
        mp::RawValue<Wide> const value;
        CHECK(reinterpret_cast<std::uintptr_t>(&value.value()) % 64 == 0);
        for (char const byte : value.value().bytes) REQUIRE(byte == 0);
        std::memset(&value.value(), 0xff, sizeof(Wide));
    }
    CHECK(mp::Value<double>().value() == 0);
}

TEST_CASE("Value: a counter under its lock loses nothing", "[value]") {
    mp::Value<long> total(0);
    std::vector<test::Relative> children;
    auto const count = [](mp::Value<long> shared) {
        for (int i = 0; i < 5'000; ++i) {
            std::scoped_lock guard(shared.get_lock());
            shared.value() += 1;
        }
        return 0;
    };
    for (int c = 0; c < 4; ++c) children.push_back(test::start(count, total));
    for (auto const& child : children) CHECK(child.join() == 0);
    CHECK(total.value() == 20'000);
}

TEST_CASE("Value: a counter of threads", "[value][threads]") {
    mp::Value<long> const total(0);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([total] {
            for (int i = 0; i < 10'000; ++i) {
                std::scoped_lock guard(total.get_lock());
                total.value() += 1;
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(total.value() == 40'000);
}

TEST_CASE("Value: an owner killed in mid-change is noticed", "[value]") {
    mp::Value<int> const value(1);
    auto const change = [](mp::Value<int> shared) {
        shared.acquire();
        shared.value() = 2;
        return 0;
    };
    auto const child = test::start(change, value);
    CHECK(child.join() == 0);
    CHECK(value.acquire());
    CHECK(value.get_lock().abandoned());
    CHECK(value.value() == 2);
    value.release();
}

TEST_CASE("Value: arrives as what it is, and as nothing else", "[value][threads]") {
    auto const before = family::at_rest();
    {
        mp::RLock lock;
        mp::Value<double> const value(2.5);
        mp::Value<double> const guarded(3.5, lock);
        CHECK(mp::Value<double>::from(value.shared()) == value);
        CHECK(mp::Value<double>::from(guarded.shared()).get_lock() == lock);
        CHECK_THROWS_AS(mp::Value<float>::from(value.shared()), mp::UnpicklingError);
        CHECK_THROWS_AS(mp::RawValue<double>::from(value.shared()), mp::UnpicklingError);
        CHECK_THROWS_AS(mp::Lock::from(value.shared()), mp::UnpicklingError);
        CHECK_THROWS_AS(mp::Value<double>::from(lock.shared()), mp::UnpicklingError);
        auto const its_lock = mp::RLock::from(value.get_lock().shared());
        value.acquire();
        CHECK(its_lock == value.get_lock());
        CHECK(its_lock.locked());
        value.release();
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Value: a lock taken from it outlives it", "[value][threads]") {
    auto const before = family::at_rest();
    {
        auto const lock = mp::Value<int>(3).get_lock();
        lock.acquire();
        lock.release();
        CHECK(family::at_rest().blocks == before.blocks + 1);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Value, RawValue: their texts", "[value][threads]") {
    CHECK(fmt::format("{}", mp::Value<int>(5)) == "<Synchronized wrapper for c_int(5)>");
    CHECK(fmt::format("{:r}", mp::Value<double>(5)) == "<Synchronized wrapper for c_double(5.0)>");
    CHECK(fmt::format("{}", mp::RawValue<double>(1e300)) == "c_double(1e+300)");
    CHECK(fmt::format("{}", mp::RawValue<unsigned char>(200)) == "c_ubyte(200)");
    CHECK(fmt::format("{}", mp::RawValue<bool>(true)) == "c_bool(True)");
    CHECK(fmt::format("{}", mp::RawValue<char>('\n')) == "c_char(b'\\x0a')");
}
