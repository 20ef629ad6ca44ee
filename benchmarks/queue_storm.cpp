// SPDX-License-Identifier: MIT
// benchmarks/queue_storm.cpp — is a queue as fast after a storm of kills as before?
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace mp = multiprocessing;

using Item = std::array<std::uint64_t, 8>;

void work(mp::Queue<Item> queue) {
    for (std::uint64_t i = 0;; ++i) {
        queue.put(Item{i});
        queue.get();
    }
}

/// Nanoseconds for one put and get.
double measure(mp::Queue<Item> queue) {
    constexpr std::uint64_t rounds = 400'000;
    auto const begin = std::chrono::steady_clock::now();
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        queue.put(Item{i});
        sum += queue.get()[0];
    }
    if (sum != rounds * (rounds - 1) / 2) throw mp::RuntimeError("items were lost");
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin)
               .count() /
           rounds;
}

double median(std::vector<double> xs) {
    std::ranges::sort(xs);
    return xs[xs.size() / 2];
}

int main() {
    mp::freeze_support();
    mp::Queue<Item> queue;
    mp::Queue<Item> fresh;  // never sees a kill: what the machine itself changed meanwhile
    std::vector<double> before, after;
    for (int i = 0; i < 9; ++i) before.push_back(measure(queue) / measure(fresh));

    auto const slots = mp::heap::statistics().slots;
    std::mt19937 random{1};
    constexpr int kills = 500;
    std::vector<mp::Process> workers;
    for (int i = 0; i < 4; ++i) workers.emplace_back(work, queue);
    for (auto& worker : workers) worker.start();
    for (int i = 0; i < kills; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds(200 + random() % 2000));
        auto& victim = workers[random() % workers.size()];
        victim.kill();
        victim.join();
        victim = mp::Process(work, queue);
        victim.start();
    }
    for (auto& worker : workers) {
        worker.kill();
        worker.join();
    }
    mp::heap::sweep_dead();
    while (!queue.empty()) queue.get();

    for (int i = 0; i < 9; ++i) after.push_back(measure(queue) / measure(fresh));
    fmt::print("put+get / fresh queue's: before {:.3f}, after {} kills {:.3f}, ratio {:.3f}\n",
               median(before), kills, median(after), median(after) / median(before));
    fmt::print("process slots: before {}, after {}\n", slots, mp::heap::statistics().slots);
}
