// SPDX-License-Identifier: MIT
// tests/heap/kill_units_test.cpp — a process is killed, or stopped, while a unit becomes another
// slab or a run.
#include <multiprocessing/heap.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace mp::heap;
using namespace test::stepper;

namespace {

// Classes of few blocks, so that a unit is soon full and few instructions retire it.
constexpr std::uint64_t quarter = 200'000;
constexpr std::uint64_t eighth = 100'000;

Statistics baseline;
std::vector<Ref> held;  // by the survivors

void free_held() {
    auto l = ledger();
    for (auto const ref : held) {
        Word word{ref.bits};
        l.drop_word(word);
        l.run();
    }
    held.clear();
}

Hand filled(std::uint64_t bytes, unsigned char fill) {
    auto message = new_message(0, bytes);
    std::memset(message.body(), fill, bytes);
    return message;
}
void hold(Hand&& message) {
    held.push_back(message.ref());
    message.forget();
}
void expect_fill(Ref ref, unsigned char fill) {
    auto* const header = ledger().header(ref);
    expect(header != nullptr, "somebody else freed a block");
    auto const* const first = reinterpret_cast<unsigned char const*>(header->body());
    expect(std::all_of(first, first + header->size,
                       [fill](unsigned char c) { return c == fill; }),
           "somebody else wrote into a block");
}

Word& unit_word(std::uint64_t unit) { return State::instance().arena.unit(unit); }

/// The next slab that is opened shall be there, if that unit is free.
void open_next_at(std::uint64_t unit) { State::instance().arena.header().unit_cursor.store(unit); }

void note_baseline() {
    free_held();
    sweep_dead();
    baseline = family::at_rest();
}

/// A block of the class is taken, filled, looked at and freed; then its unit is retired.
std::uint64_t victims_unit = 0;
void use_and_retire() {
    auto block = filled(quarter, 1);
    auto const unit = block.ref().unit();
    expect(block.body()[quarter - 1] == std::byte{1}, "somebody else wrote into the block");
    block.drop();
    ledger().blocks().retire(unit);
}

/// The survivors retire the victim's unit if they can, and make other things of it.
void make_others_of_it() {
    for (int round = 0; round < 2; ++round) {
        ledger().blocks().retire(victims_unit);
        open_next_at(victims_unit);
        for (unsigned char i = 0; i < 8; ++i) hold(filled(round == 0 ? eighth : quarter, i));
        for (unsigned char i = 0; i < 8; ++i) expect_fill(held[i], i);
        if (round == 0) free_held();
    }
}

void check() {
    for (unsigned char i = 0; i < held.size(); ++i) expect_fill(held[i], i);
    free_held();
    family::expect_at_rest(baseline);
    // The unit serves all uses again.
    ledger().blocks().retire(victims_unit);
    expect(UnitWord::phase(unit_word(victims_unit)) == UnitWord::free, "the unit is lost");
    use_and_retire();
    auto const run = filled(2 << 20, 3);
    expect_fill(run.ref(), 3);
}

Scenario scenario(std::string name, std::function<void()> operation) {
    Scenario s;
    s.name = std::move(name);
    s.setup = [] {
        note_baseline();
        auto const block = new_message(0, quarter);
        victims_unit = block.ref().unit();
    };
    s.warm_up = s.operation = std::move(operation);
    s.survive = make_others_of_it;
    s.check = check;
    return s;
}

}  // namespace

TEST_CASE("Kill: a slab is retired while others want its memory", "[heap][kill]") {
    auto o = family::stepped();
    o.modes.push_back(Mode::e_stop_go_on_kill);
    verify(run(scenario("use and retire", use_and_retire), o));
}

TEST_CASE("Kill: who was about to take a block of a slab that became another", "[heap][kill]") {
    // The second block, which is no block of the slab that the survivors make: only its generation
    // tells the late one that it is gone.
    auto s = scenario("a late taker", [] {
        auto const block = filled(eighth, 1);
        expect(block.body()[eighth - 1] == std::byte{1}, "somebody else wrote into the block");
    });
    s.setup = [] {
        note_baseline();
        auto block = new_message(0, eighth);
        victims_unit = block.ref().unit();
        block.drop();
        State::instance().arena.hints(victims_unit).free_blocks[0].fetch_and(~std::uint64_t{1});
    };
    s.warm_up = [] { auto const other = filled(50'000, 1); };
    s.survive = [] {
        ledger().blocks().retire(victims_unit);
        open_next_at(victims_unit);
        for (unsigned char i = 0; i < 8; ++i) hold(filled(quarter, i));
    };
    s.check = [] {
        Hints(State::instance().arena, ledger().record()).renew(victims_unit);
        check();
    };
    auto o = family::stepped();
    o.modes.push_back(Mode::e_stop_go_on_kill);
    verify(run(s, o));
}

TEST_CASE("Kill: a slab is made a run", "[heap][kill]") {
    verify(run(scenario("slab, run, slab",
                        [] {
                            use_and_retire();
                            auto const run = filled(1'200'000, 2);
                            expect(run.body()[1'199'999] == std::byte{2}, "overwritten");
                        }),
               family::stepped()));
}

TEST_CASE("Kill: a slab in which a block is used is not retired", "[heap][kill]") {
    static std::optional<Hand> live;
    auto s = scenario("vain retiring", [] { ledger().blocks().retire(victims_unit); });
    s.setup = [] {
        live.reset();
        note_baseline();
        live = filled(quarter, 9);
        victims_unit = live->ref().unit();
    };
    s.check = [] {
        expect_fill(live->ref(), 9);
        live.reset();
        check();
    };
    verify(run(s, family::stepped()));
    live.reset();
}

namespace {

void take_segment() {
    Word word{0};
    held.push_back(ledger().allocate(Kind::segment, 0, segment_bytes - sizeof(Header), word));
}

/// What only a test may do, at rest and without a ring: slabs of segments become free.
void retire_segments() {
    auto& arena = State::instance().arena;
    for (auto unit = arena.header().first_unit; unit < arena.header().unit_mark; ++unit) {
        auto const word = unit_word(unit).load();
        if (!UnitWord::is_slab_of(word, segment_class)) continue;
        Hints(arena, ledger().record()).clear(unit, segment_class);
        unit_word(unit).store(
            UnitWord::pack(UnitWord::free, 0, 0, UnitWord::next_generation(word)));
    }
}

}  // namespace

TEST_CASE("Kill: what was something else becomes segments", "[heap][kill]") {
    Scenario s;
    s.name = "a slab of segments over old data";
    s.setup = [] {
        note_baseline();
        retire_segments();
        auto old = filled(1 << 20, 0xff);
        victims_unit = old.ref().unit();
        old.drop();
        open_next_at(victims_unit);
    };
    s.warm_up = [] {};
    s.operation = [] {
        auto& hand = ledger().record().hands[0];
        ledger().allocate(Kind::segment, 0, segment_bytes - sizeof(Header), hand);
        ledger().drop(hand);
    };
    s.survive = [] {
        for (int i = 0; i < 20; ++i) take_segment();
    };
    s.check = [] {
        if (UnitWord::is_slab_of(unit_word(victims_unit), segment_class)) {
            auto& arena = State::instance().arena;
            auto* const bytes = arena.at<unsigned char>(victims_unit * unit_bytes);
            for (std::uint64_t i = 60; i < unit_bytes; i += 64)
                expect(bytes[i] == 0, "old data in a segment");
        }
        free_held();
        family::expect_at_rest(baseline);
    };
    auto o = family::stepped();
    o.budget = std::chrono::seconds(8);
    verify(run(s, o));
}

namespace {

SlotStamp dead;

/// A process that died in the midst of a change of a unit, with or without a block used in it.
void make_dead(bool used) {
    note_baseline();
    auto const child = family::start([used] {
        static auto block = new_message(0, quarter);
        auto const unit = block.ref().unit();
        if (!used) block.drop();
        auto const seen = unit_word(unit).load();
        auto const index = ThreadRecord::index();
        ledger().record().change.store(unit + 1);
        unit_word(unit).store(UnitWord::pack(UnitWord::changing, UnitWord::detail(seen), index,
                                             UnitWord::generation(seen)));
        State::instance().arena.hints(unit).free_blocks[0].store(0);
        State::instance().my_slot().notes.store(unit);
        mp::platform::exit_process(0);
        return 1;
    });
    if (mp::platform::wait_process(child.pid, 10'000'000'000) != 0)
        throw std::runtime_error("the one to be swept did not end as it should");
    dead = child.stamp;
    victims_unit = slot_of(dead).notes.load();
    slot_of(dead).notes.store(0);
}

}  // namespace

TEST_CASE("Kill: the sweeper of one who died while a unit changed", "[heap][kill]") {
    for (bool const used : {false, true}) {
        Scenario s;
        s.name = used ? "sweep of a vain change" : "sweep of a change";
        s.setup = [used] { make_dead(used); };
        s.warm_up = [] {};
        s.operation = [] { sweep(dead); };
        s.survive = make_others_of_it;
        s.check = check;
        verify(run(s, family::stepped()));

        s.second_warm_up = [] {};
        s.second_operation = [] { sweep_dead(); };
        auto o = family::stepped();
        o.modes = {Mode::d_pair};
        o.max_pairs = 800;
        verify(run(s, o));
    }
}
