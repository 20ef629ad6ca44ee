// SPDX-License-Identifier: MIT
#include <multiprocessing/heap/units.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"
#include "support/host.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace mp::heap;

namespace {

/// An arena of its own, of the least size there is, without a process tree.
struct SmallArena {
    Arena arena = [] {
        test::set_environment("MULTIPROCESSING_ARENA", "268435456");
        auto made = Arena::create();
        test::set_environment("MULTIPROCESSING_ARENA", nullptr);
        return made;
    }();

    Ledger ledger(std::uint16_t thread = 1) {
        return {arena, static_cast<std::uint16_t>(max_slots + thread)};
    }

    /// As many blocks as there are. They carry their Ref, so that an overlap is seen.
    std::vector<Ref> fill(std::uint64_t bytes) {
        auto l = ledger();
        std::vector<Ref> refs;
        Word hand{0};
        try {
            for (;;) {
                refs.push_back(l.allocate(Kind::message, 0, bytes, hand));
                mark(refs.back(), bytes);
            }
        } catch (mp::MemoryError const&) {
            hand.store(0);
        }
        CHECK(std::all_of(refs.begin(), refs.end(),
                          [&](Ref ref) { return is_marked(l, ref, bytes); }));
        return refs;
    }
    void free(std::vector<Ref> const& refs) {
        auto l = ledger();
        for (auto const ref : refs) free(l, ref);
    }
    static void free(Ledger& l, Ref ref) {
        Word word{ref.bits};
        l.drop_word(word);
        l.run();
    }

    void mark(Ref ref, std::uint64_t bytes) {
        auto* const body = arena.at<Header>(ref.offset())->body();
        *reinterpret_cast<std::uint64_t*>(body) = ref.bits;
        *reinterpret_cast<std::uint64_t*>(body + bytes / 8 * 8 - 8) = ~ref.bits;
    }
    static bool is_marked(Ledger& l, Ref ref, std::uint64_t bytes) {
        auto* const header = l.header(ref);
        return header != nullptr && header->size == bytes &&
               *reinterpret_cast<std::uint64_t*>(header->body()) == ref.bits &&
               *reinterpret_cast<std::uint64_t*>(header->body() + bytes / 8 * 8 - 8) == ~ref.bits;
    }

    bool all_stale(std::vector<Ref> const& refs) {
        auto l = ledger();
        return std::none_of(refs.begin(), refs.end(),
                            [&](Ref ref) { return l.header(ref) != nullptr; });
    }
    std::uint64_t units() const {
        return arena.header().end_unit - arena.header().first_unit;
    }
};

}  // namespace

TEST_CASE("Units: what one size has freed serves every other size, again and again", "[heap]") {
    SmallArena small;
    auto const capacity = small.units() * unit_bytes;
    std::vector<Ref> stale;
    for (int round = 0; round < 2; ++round)
        for (std::uint64_t const bytes : {64u, 900u, 3'000u, 40'000u, 200'000u, 700'000u,
                                          5'000'000u, 64u << 20, 16u}) {
            auto const refs = small.fill(bytes);
            INFO(bytes << " bytes");
            CHECK(refs.size() * (bytes + sizeof(Header)) * 3 > capacity);
            CHECK(small.all_stale(stale));
            small.free(refs);
            CHECK(small.all_stale(refs));
            if (stale.size() < 100'000)
                for (std::size_t i = 0; i < refs.size(); i += 97) stale.push_back(refs[i]);
            small.free(stale);  // does no harm to what is there now, nor to what comes
        }
}

TEST_CASE("Units: a run finds room between slabs that are in use", "[heap]") {
    SmallArena small;
    auto refs = small.fill(1'000);
    // One block in every eighth unit stays.
    std::vector<Ref> stay;
    std::vector<Ref> go;
    for (auto const ref : refs)
        (ref.unit() % 8 == 0 && (stay.empty() || stay.back().unit() != ref.unit()) ? stay : go)
            .push_back(ref);
    small.free(go);
    auto l = small.ledger();
    Word hand{0};
    CHECK_THROWS_AS(l.allocate(Kind::message, 0, 8u << 20, hand), mp::MemoryError);
    auto const runs = small.fill(7'000'000);
    CHECK(runs.size() + 2 >= small.units() / 8);
    CHECK(std::all_of(stay.begin(), stay.end(),
                      [&](Ref ref) { return SmallArena::is_marked(l, ref, 1'000); }));
    small.free(runs);
    small.free(stay);
}

TEST_CASE("Units: trim makes unused slabs free and gives their memory back", "[heap][give_back]") {
    SmallArena small;
    auto const before = small.arena.memory().resident();
    auto const refs = small.fill(500);
    auto const last = refs.back();
    small.free({refs.begin(), refs.end() - 1});
    auto l = small.ledger();
    CHECK(l.blocks().trim() > 200u << 20);
    CHECK(small.arena.memory().resident() < before + (20u << 20));
    CHECK(SmallArena::is_marked(l, last, 500));
    for (auto unit = small.arena.header().first_unit; unit < small.arena.header().end_unit; ++unit)
        CHECK((UnitWord::phase(small.arena.unit(unit)) == UnitWord::free) ==
              (unit != last.unit()));

    Word hand{0};
    auto const run = l.allocate(Kind::message, 0, 32u << 20, hand);
    std::memset(l.header(run)->body(), 1, 32u << 20);
    small.free({run, last});
    CHECK(small.arena.memory().resident() > before + (30u << 20));  // kept warm
    l.blocks().trim();
    CHECK(small.arena.memory().resident() < before + (20u << 20));
}

TEST_CASE("Units: threads fill and free a small arena with different sizes at once",
          "[heap][threads]") {
    SmallArena small;
    std::atomic<int> faults{0};
    std::atomic<std::uint64_t> refusals{0};
    std::atomic<std::uint64_t> taken{0};
    std::vector<std::thread> threads;
    for (std::uint16_t t = 1; t <= 4; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random{t};
            auto l = small.ledger(t);
            Word hand{0};
            for (int round = 0; round < 60; ++round) {
                auto const bytes = std::uint64_t{100'000} << random() % 5;
                std::vector<Ref> mine;
                for (std::uint64_t sum = 0; sum < 100u << 20; sum += bytes) try {
                        mine.push_back(l.allocate(Kind::message, 0, bytes, hand));
                        small.mark(mine.back(), bytes);
                    } catch (mp::MemoryError const&) {
                        ++refusals;
                        break;
                    }
                taken += mine.size();
                for (auto const ref : mine) {
                    if (!SmallArena::is_marked(l, ref, bytes)) ++faults;
                    SmallArena::free(l, ref);
                }
                if (round % 8 == 0) l.blocks().trim();
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(faults == 0);
    CHECK(refusals > 0);  // else it was never full
    CHECK(taken > 1'000);
    auto const all = small.fill(1u << 19);
    CHECK(all.size() == small.units());
    small.free(all);
}
