// SPDX-License-Identifier: MIT
#include <multiprocessing/heap/blocks.hpp>

#include "heap/family.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace mp::heap;

namespace {

struct Block {
    Ref ref;
    std::uint64_t bytes;
    unsigned char fill;
};

/// A block that stays when its hand is gone: as if it had been stored somewhere.
Block make_block(std::uint64_t bytes, unsigned char fill) {
    auto hand = new_message(0, bytes);
    std::memset(hand.body(), fill, bytes);
    Block const block{hand.ref(), bytes, fill};
    hand.forget();
    return block;
}
bool intact(Block const& block) {
    auto* const header = ledger().header(block.ref);
    if (header == nullptr || header->size != block.bytes) return false;
    auto const* const first = reinterpret_cast<unsigned char const*>(header->body());
    return std::all_of(first, first + block.bytes,
                       [&block](unsigned char c) { return c == block.fill; });
}
void free_block(Block const& block) {
    auto l = ledger();
    Word word{block.ref.bits};
    l.drop_word(word);
    l.run();
}

}  // namespace

TEST_CASE("Blocks: a freed block's Ref is recognised for ever", "[heap]") {
    auto const before = family::at_rest();
    auto const block = make_block(100, 1);
    CHECK(intact(block));
    free_block(block);
    CHECK(ledger().header(block.ref) == nullptr);
    auto const again = make_block(100, 2);
    CHECK(ledger().header(block.ref) == nullptr);
    free_block(block);  // twice does no harm
    CHECK(intact(again));
    free_block(again);
    CHECK(family::at_rest() == before);
}

TEST_CASE("Blocks: every size fits and stays whole beside its neighbours", "[heap]") {
    auto const before = family::at_rest();
    std::mt19937 random{7};
    std::vector<Block> blocks;
    for (std::uint64_t bytes = 0; bytes < 1500; bytes += 13)
        blocks.push_back(make_block(bytes, static_cast<unsigned char>(random())));
    for (std::uint64_t bytes = 2048; bytes <= 64u << 20; bytes *= 4)
        for (int more = -1; more <= 1; ++more)
            blocks.push_back(make_block(bytes + static_cast<std::uint64_t>(more),
                                        static_cast<unsigned char>(random())));
    CHECK(std::all_of(blocks.begin(), blocks.end(), intact));
    std::shuffle(blocks.begin(), blocks.end(), random);
    for (std::size_t i = 0; i < blocks.size(); i += 2) free_block(blocks[i]);
    for (std::size_t i = 1; i < blocks.size(); i += 2) CHECK(intact(blocks[i]));
    for (std::size_t i = 1; i < blocks.size(); i += 2) free_block(blocks[i]);
    CHECK(family::at_rest() == before);
}

TEST_CASE("Blocks: a generation wraps without harm", "[heap]") {
    auto const block = make_block(300, 3);
    free_block(block);
    auto& arena = State::instance().arena;
    auto& word = arena.block(block.ref.granule());
    word.store(BlockWord::pack(0xffffffff, BlockWord::free, 0));
    auto const last = make_block(300, 4);
    REQUIRE(last.ref.granule() == block.ref.granule());
    CHECK(last.ref.generation() == 0xffffffff);
    free_block(last);
    auto const first = make_block(300, 5);
    CHECK(first.ref.generation() == 0);
    CHECK(intact(first));
    CHECK(ledger().header(last.ref) == nullptr);
    free_block(first);
}

TEST_CASE("Blocks: pages of freed memory go back to the system", "[heap][give_back]") {
    auto const before = statistics().backed;
    std::vector<Block> blocks;
    for (int i = 0; i < 20'000; ++i) blocks.push_back(make_block(1000, 1));
    for (int i = 0; i < 40; ++i) blocks.push_back(make_block(6u << 20, 2));
    CHECK(statistics().backed > before + (200u << 20));
    for (auto const& block : blocks) free_block(block);
    auto l = ledger();
    l.blocks().trim();
    CHECK(statistics().backed < before + (80u << 20));  // some is kept warm
    CHECK(statistics().claimed == 0);
}

TEST_CASE("Blocks: more than the arena holds is a MemoryError, and nothing is lost", "[heap]") {
    auto const before = family::at_rest();
    CHECK_THROWS_AS(new_message(0, std::uint64_t{1} << 40), mp::MemoryError);
    CHECK(family::at_rest() == before);
}

TEST_CASE("Blocks: threads take and free at once", "[heap][threads]") {
    auto const before = family::at_rest();
    std::vector<std::thread> threads;
    std::atomic<int> faults{0};
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([t, &faults] {
            std::mt19937 random{t};
            std::vector<Block> mine;
            for (int i = 0; i < 20'000; ++i) {
                if (mine.size() < 50 || random() % 2 == 0) {
                    auto const shift = random() % 12;
                    mine.push_back(make_block(random() % (16u << shift),
                                              static_cast<unsigned char>(random())));
                } else {
                    std::swap(mine[random() % mine.size()], mine.back());
                    if (!intact(mine.back())) ++faults;
                    free_block(mine.back());
                    mine.pop_back();
                }
            }
            for (auto const& block : mine) {
                if (!intact(block)) ++faults;
                free_block(block);
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(faults == 0);
    CHECK(family::at_rest() == before);
}
