// SPDX-License-Identifier: MIT
// tests/support/terminations.hpp — children that are killed at random, under every start method.
#pragma once

#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <multiprocessing/process.hpp>
#include <multiprocessing/sharedctypes.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace test {

/// What such children and the test tell each other.
class Progress {
public:
    /// Of a child: another piece of work is done.
    void done() { at(0).fetch_add(1); }
    std::uint64_t count() { return at(0).load(); }

    /// Of a child: something is wrong.
    void fault() { at(1).fetch_add(1); }
    std::uint64_t faults() { return at(1).load(); }

    /// Of the test: whoever lives shall return.
    void end() { at(2).store(1); }
    bool over() { return at(2).load() != 0; }

    multiprocessing::RawArray<std::uint64_t> words{0, 0, 0};

private:
    std::atomic_ref<std::uint64_t> at(std::size_t index) {
        return std::atomic_ref(words[static_cast<std::ptrdiff_t>(index)]);
    }
};

/// Starts a child of each role, and `kills` times ends one of them by kill(), wherever it may be,
/// as soon as all together have done a few pieces of work more; another takes its place. At last
/// all return. The test fails if they do not get on, or if one leaves otherwise.
/// Returns how many of each role were killed.
inline std::vector<int> kill_at_random(
    Progress progress, std::vector<std::function<multiprocessing::Process()>> const& roles,
    int kills) {
    std::mt19937 random{std::random_device{}()};
    std::vector<int> killed(roles.size());
    std::vector<multiprocessing::Process> children;
    for (auto const& role : roles) {
        children.push_back(role());
        children.back().start();
    }
    for (int i = 0; i < kills; ++i) {
        auto const enough = progress.count() + 1 + random() % 60;
        if (!eventually([&] { return progress.count() >= enough; })) {
            for (auto& child : children) child.kill();
            for (auto& child : children) child.join();
            FAIL("nobody has got on after kill " << i);
        }
        auto const victim = random() % roles.size();
        children[victim].kill();
        children[victim].join();
        CHECK(children[victim].exitcode() < 0);
        ++killed[victim];
        children[victim] = roles[victim]();
        children[victim].start();
    }
    progress.end();
    for (auto& child : children) {
        if (!child.join(std::chrono::seconds(20))) child.kill();
        child.join();
        CHECK(child.exitcode() == 0);
    }
    return killed;
}

}  // namespace test
