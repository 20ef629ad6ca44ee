// SPDX-License-Identifier: MIT
#include <multiprocessing/heap/shared.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"

#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace mp::heap;

namespace {

Shared make_number(std::uint64_t value, std::uint32_t links = 0) {
    return Shared::make(Kind::plain, links, 8, [value](std::byte* body) {
        reinterpret_cast<Word*>(body)->store(value);
    });
}
std::uint64_t number(Shared const& shared) { return shared.body<Word>()->load(); }
std::uint64_t count(Shared const& shared) {
    return Stamp::count(shared.header().references.load());
}

}  // namespace

TEST_CASE("Shared: handles of one process count once", "[heap]") {
    auto const before = family::at_rest();
    {
        auto const a = make_number(42);
        auto const b = a;
        auto const c = Shared::adopt(a.ref().bits);
        CHECK(number(c) == 42);
        CHECK(count(a) == 1);
        CHECK(a == c);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Shared: a message keeps an object alive, whoever drops the message", "[heap]") {
    auto const before = family::at_rest();
    auto message = new_message(2, 0);
    std::uint64_t bits = 0;
    {
        auto const object = make_number(7);
        bits = object.ref().bits;
        link(message.header(), 0, object);
        link(message.header(), 1, object);
        CHECK(count(object) == 3);
    }
    CHECK(number(Shared::adopt(bits)) == 7);
    message.drop();
    CHECK_THROWS_AS(Shared::adopt(bits), mp::ValueError);
    CHECK(family::at_rest() == before);
}

TEST_CASE("Shared: a long chain of objects is destroyed without a stack", "[heap]") {
    auto const before = family::at_rest();
    {
        auto head = make_number(0);
        for (std::uint64_t i = 1; i < 50'000; ++i) {
            auto next = make_number(i, 1);
            link(next.header(), 0, head);
            head = next;
        }
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Shared: a child has its own references, and they go when it ends", "[heap][fork]") {
    auto const make_300 = [] {
        std::vector<Shared> objects;
        for (std::uint64_t i = 0; i < 300; ++i) objects.push_back(make_number(i));
        return objects;
    };
    make_300();  // a process keeps the room for its references
    auto const before = family::at_rest();
    {
        auto objects = make_300();
        auto const child = family::start([&objects] {
            for (std::uint64_t i = 0; i < 300; ++i)
                if (number(objects[i]) != i) return 1;
            auto const extra = make_number(5);  // left behind on purpose
            objects.erase(objects.begin(), objects.begin() + 100);
            objects.push_back(extra);
            return 7;
        });
        CHECK(child.join() == 7);
        for (auto const& object : objects) CHECK(count(object) == 1);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Shared: a killed child's references go", "[heap][fork]") {
    auto const before = family::at_rest();
    {
        auto const object = make_number(1);
        auto const gate = make_number(0);
        auto const child = family::start([&object, &gate] {
            auto const copy = object;
            auto const mine = make_number(9);
            gate.body<Word>()->store(1);
            for (;;) std::this_thread::yield();
            return 0;
        });
        while (number(gate) == 0) std::this_thread::yield();
        CHECK(count(object) == 2);
        CHECK(child.kill() == -9);
        CHECK(count(object) == 1);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Shared: an object of another tree or of no tree is refused", "[heap]") {
    CHECK_THROWS_AS(Shared::adopt(0), mp::ValueError);
    CHECK_THROWS_AS(Shared::adopt(~std::uint64_t{0}), mp::ValueError);
    CHECK_THROWS_AS(Shared::adopt(1), mp::ValueError);
    auto const message = new_message(0, 8);
    CHECK_THROWS_AS(Shared::adopt(message.ref().bits), mp::ValueError);
}

TEST_CASE("Shared: threads make, copy, link and drop at once", "[heap][threads]") {
    auto const before = family::at_rest();
    {
        auto const common = make_number(1);
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&common] {
                for (int i = 0; i < 5'000; ++i) {
                    auto const copy = common;
                    auto const mine = make_number(2, 1);
                    link(mine.header(), 0, copy);
                    auto message = new_message(2, 16);
                    link(message.header(), 0, mine);
                    link(message.header(), 1, common);
                }
            });
        for (auto& thread : threads) thread.join();
        CHECK(count(common) == 1);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Stamp: sequence numbers are compared around their wrap", "[heap]") {
    auto const most = Stamp::sequence_mask;
    CHECK(Stamp::distance(1, most) == 2);
    CHECK(Stamp::distance(most, 1) == -2);
    CHECK(Stamp::distance(5, 5) == 0);
    auto const before = family::at_rest();
    {
        auto const object = make_number(3);
        auto l = ledger();
        l.record().sequence.store(most - 3);
        for (int i = 0; i < 10; ++i) {
            auto message = new_message(1, 0);
            link(message.header(), 0, object);
        }
        CHECK(l.record().sequence.load() < 100);
        CHECK(count(object) == 1);
    }
    CHECK(family::at_rest() == before);
}

TEST_CASE("Ledger: a change is known to have happened however many others there were before",
          "[heap]") {
    auto const before = family::at_rest();
    {
        auto const object = make_number(3, 2);
        auto& arena = State::instance().arena;
        // As two threads, neither of which is there.
        Ledger dead{arena, max_records - 1};
        Ledger other{arena, max_records - 2};
        auto& record = dead.record();
        auto& word = object.header().link(0);
        auto& others_word = object.header().link(1);
        auto const bits = object.ref().bits;
        auto const half = Stamp::sequence_mask / 2 + 1;
        for (std::uint64_t const start : {std::uint64_t{1}, half - 5, half, half + 1,
                                          Stamp::sequence_mask - 1, std::uint64_t{77}}) {
            for (bool const counted : {true, false}) {
                CAPTURE(start, counted);
                // So many changes since anybody told of one.
                record.sequence.store((record.acknowledged.load() + start) &
                                      Stamp::sequence_mask);
                dead.change(object.ref(), true, word, 0, bits);
                auto const sequence = record.sequence.load();
                if (counted) {  // the count was changed, the word not, and another writer came
                    record.op.store(sequence);
                    word.store(0);
                    other.change(object.ref(), true, others_word, 0, bits);
                } else {  // nothing was changed yet, and another writer came
                    other.change(object.ref(), true, others_word, 0, bits);
                    record.op_delta.store(0);
                    record.op_from.store(bits);
                    record.op_to.store(0);
                    record.op.store(sequence + 1);
                }
                dead.recover();
                CHECK(word.load() == bits);
                CHECK(count(object) == 3);
                word.store(bits);
                other.drop_word(others_word);
                dead.drop_word(word);
                CHECK(count(object) == 1);
            }
        }
        record.sequence.store(0);
        record.acknowledged.store(0);
    }
    CHECK(family::at_rest() == before);
}
