// SPDX-License-Identifier: MIT
#include <multiprocessing/sharedctypes.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/relative.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace mp = multiprocessing;

static_assert(std::ranges::contiguous_range<mp::Array<int>>);
static_assert(std::ranges::contiguous_range<mp::RawArray<double>>);
static_assert(!std::is_constructible_v<mp::Array<int>, std::vector<std::string>>);

// CPython: _TestArray.test_array, test_rawarray
TEMPLATE_TEST_CASE("Array, RawArray: a child's running sums are seen by its parent", "[array]",
                   mp::Array<int>, mp::RawArray<int>) {
    auto const before = family::at_rest();
    {
        std::vector<int> seq{680, 626, 934, 821, 150, 233, 548, 982, 714, 831};
        TestType array(seq);
        CHECK(array.size() == seq.size());
        CHECK(array[3] == seq[3]);
        CHECK(array[-1] == seq.back());
        CHECK(std::ranges::equal(std::span(array).subspan(2, 5), std::span(seq).subspan(2, 5)));
        std::ranges::copy(std::vector{1, 2, 3, 4}, array.begin() + 4);
        std::ranges::copy(std::vector{1, 2, 3, 4}, seq.begin() + 4);
        CHECK(std::ranges::equal(array, seq));
        auto const child = test::start([](TestType sums) {
            for (std::size_t i = 1; i < sums.size(); ++i) sums[i] += sums[i - 1];
            return 0;
        }, array);
        CHECK(child.join() == 0);
        std::partial_sum(seq.begin(), seq.end(), seq.begin());
        CHECK(std::ranges::equal(array, seq));
    }
    CHECK(family::at_rest() == before);
}

// CPython: _TestArray.test_array_from_size
TEST_CASE("Array: from a size it is zero, also in memory that is used again", "[array][threads]") {
    for (int i = 0; i < 3; ++i) {
        mp::Array<int> const array(10);
        CHECK(std::ranges::equal(array, std::vector<int>(10)));
        std::ranges::fill(array, 42);
    }
    CHECK(mp::RawArray<int>(0).empty());
    CHECK_THROWS_AS(mp::Array<int>(-1), mp::ValueError);
    CHECK_THROWS_AS(mp::Array<int>(std::uint64_t{1} << 60), mp::MemoryError);
}

TEST_CASE("Array: an index outside is an IndexError", "[array][threads]") {
    mp::Array<short> const array{1, 2, 3};
    CHECK(array[-3] == 1);
    CHECK_THROWS_AS(array[3], mp::IndexError);
    CHECK_THROWS_AS(array[-4], mp::IndexError);
    CHECK_THROWS_AS(array[std::size_t{3}], mp::IndexError);
}

// CPython: _TestArray.test_getobj_getlock_obj
TEST_CASE("Array: its lock and its elements", "[array][threads]") {
    mp::Array<int> array(std::views::iota(0, 10));
    array.acquire();
    CHECK(array.get_lock().locked());
    CHECK(array.get_obj().size() == 10);
    array.release();
    mp::Lock const lock;
    mp::Array<int, mp::Lock> const guarded(std::views::iota(0, 10), lock);
    CHECK(guarded.get_lock() == lock);
    CHECK(mp::Array<int, mp::Lock>::from(guarded.shared()).get_lock() == lock);
    mp::Array const same(array);
    same[0] = 7;
    CHECK(array[0] == 7);
    CHECK(same == array);
}

TEST_CASE("Array: arrives as what it is, and as nothing else", "[array][threads]") {
    mp::Array<int> const array{1, 2};
    CHECK(mp::Array<int>::from(array.shared())[1] == 2);
    CHECK_THROWS_AS(mp::Array<unsigned>::from(array.shared()), mp::UnpicklingError);
    CHECK_THROWS_AS(mp::RawArray<int>::from(array.shared()), mp::UnpicklingError);
    CHECK_THROWS_AS(mp::Value<int>::from(array.shared()), mp::UnpicklingError);
    CHECK_FALSE(mp::RLock::from(array.shared()).locked());
}

TEST_CASE("Array: its text is that of a list", "[array][threads]") {
    CHECK(fmt::format("{}", mp::Array<int>{1, -2}) == "[1, -2]");
    CHECK(fmt::format("{:r}", mp::Array<double>(2)) == "[0.0, 0.0]");
    CHECK(fmt::format("{}", mp::RawArray<int>(0)) == "[]");
    CHECK(fmt::format("{}", std::vector{mp::RawArray<bool>{true}}) == "[[True]]");
}

TEST_CASE("Array: larger than a unit of the heap", "[array]") {
    auto const before = family::at_rest();
    {
        mp::Array<std::uint64_t> const array(1'000'000);
        auto const child = test::start([](mp::Array<std::uint64_t> numbers) {
            std::iota(numbers.begin(), numbers.end(), std::uint64_t{1});
            return 0;
        }, array);
        CHECK(child.join() == 0);
        CHECK(array[-1] == 1'000'000);
    }
    CHECK(family::at_rest() == before);
}
