// SPDX-License-Identifier: MIT
// tests/heap/kill_ring_test.cpp — a process is killed at every instruction of a ring.
#include <multiprocessing/heap.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace mp::heap;
using namespace test::stepper;

namespace {

constexpr std::uint64_t mark = 7;         // what the victim puts, or is to get
constexpr std::uint64_t first_own = 100;  // what the survivors put

Statistics baseline;
std::optional<Shared> common;
std::optional<Ring> ring;
std::vector<std::uint64_t> got;
std::uint64_t put_by_survivors;

/// What the victim got last, for the survivors to know.
Word& victim_got() { return *common->body<Word>(); }

Options options() {
    auto o = family::stepped();
    o.budget = std::chrono::seconds(10);
    return o;
}

/// Most of the instructions initialise or look through the 511 slots of a segment.
Options with_long_loops() {
    auto o = options();
    o.stride = 4;
    return o;
}

void put_inline(std::uint64_t value) {
    std::array<std::uint64_t, 8> const words{value, value, value, value,
                                             value, value, value, value};
    expect(ring->put(std::as_bytes(std::span{words}), mp::Deadline()), "no room");
}

void put_message(std::uint64_t value) {
    auto message = new_message(1, 400);
    std::fill_n(reinterpret_cast<std::uint64_t*>(message.body()), 50, value);
    link(message.header(), 0, *common);
    expect(ring->put(message, mp::Deadline()), "no room");
}

std::uint64_t value_of(std::span<std::uint64_t const> words) {
    for (auto const word : words) expect(word == words[0], "a torn item");
    return words[0];
}

/// The first item, which must be whole; what it refers to must be there.
std::optional<std::uint64_t> take() {
    std::optional<std::uint64_t> value;
    ring->try_get([&](RingItem& item) {
        if (item.is_message()) {
            auto const hand = item.take();
            value = value_of({reinterpret_cast<std::uint64_t*>(hand.body()), 50});
            expect(Shared::adopt(hand.header().link(0)).ref() == common->ref(), "a lost handle");
        } else {
            std::array<std::uint64_t, 8> words;
            std::memcpy(words.data(), item.bytes().data(), sizeof words);
            value = value_of(words);
        }
    });
    return value;
}

void make_ring(RingOptions how = {}) {
    ring.reset();  // a trial that failed left it
    sweep_dead();
    baseline = family::at_rest();
    ring = Ring::make(how);
    got.clear();
    victim_got() = 0;
    put_by_survivors = 0;
}

/// Puts and gets so that the next slot is the given one of its segment.
void advance_to(std::uint64_t slot) {
    for (std::uint64_t i = 0; i < slot; ++i) {
        put_inline(0);
        take();
    }
}

/// What the survivors do while the victim is stopped; it may hold up the line, but not them.
void go_round() {
    for (int i = 0; i < 600; ++i) {
        if (i % 8 == 0)
            put_message(first_own + put_by_survivors++);
        else
            put_inline(first_own + put_by_survivors++);
        if (auto const value = take()) got.push_back(*value);
    }
}

/// How often the mark is got in the end; the survivors' own items are got once and in order, but
/// for one that the victim may have got.
std::size_t count_marks() {
    sweep_dead();
    while (auto const value = take()) got.push_back(*value);
    std::uint64_t next = first_own;
    std::size_t marks = 0;
    for (auto const value : got) {
        if (value != mark && next == victim_got()) ++next;
        if (value == mark)
            ++marks;
        else
            expect(value == next++, "an item is lost, or doubled, or out of order");
    }
    if (next == victim_got()) ++next;
    expect(next == first_own + put_by_survivors, "a survivor's item is lost");
    return marks;
}

void check_ring_and_rest() {
    expect(ring->size() == 0 && ring->empty(), "an item is left");
    put_inline(1);
    put_message(2);
    expect(take() == 1u && take() == 2u && !take(), "the ring does not work any more");
    put_message(3);
    ring.reset();
    auto const now = family::at_rest();
    expect(now.hands == 0, "an intent is left");
    expect(now.slots == baseline.slots, "a process slot is left");
    expect(now.blocks == baseline.blocks, "a block is left, or one was lost");
}

/// The victim was to add one mark to so many.
void check_put(std::size_t before) {
    auto const marks = count_marks();
    expect(marks == before + 1 || (marks == before && !trial().finished),
           "a put item is lost, or doubled");
    check_ring_and_rest();
}

/// The victim was to get one of so many marks.
void check_got(std::size_t before) {
    auto const marks = count_marks();
    auto const one_lost = trial().finished && victim_got() == mark;
    expect(marks == before - 1 || (marks == before && !one_lost), "an item is lost, or doubled");
    check_ring_and_rest();
}

/// The victim puts one mark in the warm-up and one more in the operation.
Scenario putting(std::string name, void (*put)(std::uint64_t), std::uint64_t slot,
                 RingOptions how = {}) {
    Scenario s;
    s.name = std::move(name);
    s.setup = [=] {
        make_ring(how);
        advance_to(slot);
    };
    s.warm_up = s.operation = [=] { put(mark); };
    s.survive = go_round;
    s.check = [] { check_put(1); };
    return s;
}

/// Three marks lie there; the victim gets one in the warm-up and one more in the operation.
Scenario getting(std::string name, void (*put)(std::uint64_t), std::uint64_t slot,
                 RingOptions how = {}) {
    Scenario s;
    s.name = std::move(name);
    s.setup = [=] {
        make_ring(how);
        advance_to(slot);
        for (int i = 0; i < 3; ++i) put(mark);
    };
    s.warm_up = s.operation = [] { victim_got() = *take(); };
    s.survive = go_round;
    s.check = [] { check_got(2); };
    return s;
}

struct Common {
    Common() {
        common = Shared::make(Kind::plain, 0, 16, [](std::byte*) {});
    }
    ~Common() { common.reset(); }
};

}  // namespace

TEST_CASE("Ring, killed: an item is put", "[heap][ring][kill]") {
    Common const object;
    verify(run(putting("put inline", put_inline, 5), options()));
    verify(run(putting("put inline, bounded", put_inline, 5, {.maxsize = 5'000}), options()));
}

TEST_CASE("Ring, killed: a message with a handle is put", "[heap][ring][kill]") {
    Common const object;
    verify(run(putting("put a message", put_message, 5), options()));
}

TEST_CASE("Ring, killed: a segment is added", "[heap][ring][kill]") {
    Common const object;
    verify(run(putting("put at the end of a segment", put_inline, slots_per_segment - 1),
               with_long_loops()));
}

TEST_CASE("Ring, killed: the first item is put", "[heap][ring][kill]") {
    Common const object;
    auto s = putting("the first put", put_inline, 0);
    s.warm_up = [] {};
    s.check = [] { check_put(0); };
    verify(run(s, with_long_loops()));
}

TEST_CASE("Ring, killed: an item is got", "[heap][ring][kill]") {
    Common const object;
    verify(run(getting("get inline", put_inline, 5), options()));
    verify(run(getting("get inline, bounded", put_inline, 5, {.maxsize = 5'000}), options()));
}

TEST_CASE("Ring, killed: a message with a handle is got", "[heap][ring][kill]") {
    Common const object;
    verify(run(getting("get a message", put_message, 5), options()));
}

TEST_CASE("Ring, killed: a segment is left and freed", "[heap][ring][kill]") {
    Common const object;
    verify(run(getting("get at the end of a segment", put_inline, slots_per_segment - 1),
               with_long_loops()));
}

TEST_CASE("Ring, killed: a segment that others have emptied is left", "[heap][ring][kill]") {
    Common const object;
    auto s = getting("get, first of the next segment", put_inline, slots_per_segment);
    s.warm_up = [] {};  // so that nothing but this step names the segment that is left
    s.check = [] { check_got(3); };
    verify(run(s, with_long_loops()));
}

TEST_CASE("Ring, killed: a getter dies and its item is put again", "[heap][ring][kill]") {
    Common const object;
    for (auto* const put : {put_inline, put_message}) {
        auto s = getting("get, redelivered", put, 5, {.redeliver = true});
        s.warm_up = s.operation = [] {
            ring->try_get([](RingItem& item) {
                expect(!item.is_message() || item.message().size == 400, "another message");
            });
        };
        s.survive = [] {};
        s.check = [] {
            auto const marks = count_marks();
            expect(trial().finished ? marks == 1 : marks == 2 || marks == 1, "lost or doubled");
            check_ring_and_rest();
        };
        auto o = options();
        o.modes = {Mode::a_kill, Mode::b_stop_then_kill};
        verify(run(s, o));
    }
}

TEST_CASE("Ring, killed: a ring dies with items in it", "[heap][ring][kill]") {
    Common const object;
    Scenario s;
    s.name = "a ring's end";
    s.setup = [] {
        make_ring();
        put_message(0);
        take();
    };
    s.warm_up = [] {};
    s.operation = [] {
        Ring const own = Ring::make();
        auto const kept = std::exchange(ring, own);
        put_message(1);
        put_inline(2);
        put_message(3);
        ring = kept;
    };
    s.check = [] {
        count_marks();
        check_ring_and_rest();
    };
    auto o = with_long_loops();
    o.modes = {Mode::a_kill};
    verify(run(s, o));
}

namespace {

/// Leaves a process dead in the middle of a step: killed at its own hand, so where is known.
SlotStamp dead;

template <class Step>
void make_dead(Step step) {
    auto const child = family::start([&] {
        step();
        return 1;
    });
    if (mp::platform::wait_process(child.pid, 10'000'000'000) != 0)
        throw std::runtime_error("the one to be swept did not end as it should");
    dead = child.stamp;
}

Scenario sweeping_of(std::string name, void (*make)(), std::size_t marks) {
    Scenario s;
    s.name = std::move(name);
    s.setup = make;
    s.warm_up = [] {};
    s.operation = [] { sweep(dead); };
    s.second_warm_up = [] {};
    s.second_operation = [] { sweep_dead(); };
    s.survive = go_round;
    s.check = [marks] {
        expect(count_marks() == marks, "an item is lost, or doubled");
        check_ring_and_rest();
    };
    return s;
}

void die_reading(RingOptions how, void (*put)(std::uint64_t)) {
    make_ring(how);
    advance_to(slots_per_segment - 1);
    put(mark);
    put(mark);
    make_dead([] { ring->try_get([](RingItem&) { mp::platform::exit_process(0); }); });
}

}  // namespace

TEST_CASE("Ring, killed: the sweeper of a dead putter or getter", "[heap][ring][kill]") {
    Common const object;
    auto o = options();
    auto pairs = options();
    pairs.modes = {Mode::d_pair};
    pairs.max_pairs = 800;
    auto const run_both = [&](Scenario const& s) {
        verify(run(s, o));
        verify(run(s, pairs));
    };
    run_both(sweeping_of(
        "sweep of a dead putter",
        [] {
            make_ring();
            put_message(mark);
            make_dead([] { ring->try_put(8, [](std::byte*) { mp::platform::exit_process(0); }); });
            put_message(mark);
        },
        2));
    run_both(sweeping_of(
        "sweep of a dead getter", [] { die_reading({}, put_message); }, 1));
    run_both(sweeping_of(
        "sweep of a dead getter, redelivered",
        [] { die_reading({.redeliver = true}, put_message); }, 2));
}
