// SPDX-License-Identifier: MIT
// benchmarks/lock.cpp — Lock and RLock beside a robust pthread mutex, alone and contended.
// Each figure is the median of pairs measured in turn in the same run.
#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/sharedctypes.hpp>
#include <multiprocessing/synchronize.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

namespace mp = multiprocessing;
namespace heap = mp::heap;
namespace platform = mp::platform;

namespace {

class RobustMutex {
public:
    RobustMutex() {
        pthread_mutexattr_t attributes;
        ::pthread_mutexattr_init(&attributes);
        ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        ::pthread_mutex_init(&mutex_.value(), &attributes);
    }
    void lock() { ::pthread_mutex_lock(&mutex_.value()); }
    void unlock() { ::pthread_mutex_unlock(&mutex_.value()); }

private:
    mp::RawValue<pthread_mutex_t> mutex_;
};

struct Exchange {
    void lock() {
        while (word_.value().exchange(1, std::memory_order_acquire) != 0) {}
    }
    void unlock() { word_.value().store(0, std::memory_order_release); }
    struct Word : std::atomic<std::uint64_t> {};
    static_assert(std::is_trivially_copyable_v<Word>);
    mp::RawValue<Word> word_;
};

template <class L>
double alone_ns(L& lock) {
    constexpr int rounds = 400'000;
    auto const begin = platform::monotonic_ns();
    for (int i = 0; i < rounds; ++i) {
        lock.lock();
        lock.unlock();
    }
    return static_cast<double>(platform::monotonic_ns() - begin) / rounds;
}

struct Contended {
    double acquisitions, hand_overs;  // millions a second
};

template <class L>
Contended contended(L& lock, int processes) {
    constexpr std::uint64_t rounds = 200'000;
    mp::RawArray<heap::Word> const words(5);
    auto& ready = words[0];
    auto& go = words[1];
    auto& last = words[2];
    auto& hand_overs = words[3];
    auto& count = words[4];
    std::vector<std::pair<std::int64_t, heap::SlotStamp>> children;
    for (int p = 1; p <= processes; ++p) {
        heap::ChildSlot slot{"bench"};
        auto const stamp = slot.stamp();
        auto const child = heap::fork(slot);
        if (child.side == platform::ForkSide::parent) {
            children.emplace_back(child.pid, stamp);
            continue;
        }
        lock.lock();  // binds what is bound late
        lock.unlock();
        ready.fetch_add(1);
        while (go.load() == 0) std::this_thread::yield();
        auto constexpr relaxed = std::memory_order_relaxed;
        for (std::uint64_t i = 0; i < rounds; ++i) {
            lock.lock();
            if (last.load(relaxed) != static_cast<std::uint64_t>(p)) {
                last.store(static_cast<std::uint64_t>(p), relaxed);
                hand_overs.store(hand_overs.load(relaxed) + 1, relaxed);
            }
            count.store(count.load(relaxed) + 1, relaxed);
            lock.unlock();
        }
        platform::exit_process(0);
    }
    while (ready.load() != static_cast<std::uint64_t>(processes)) std::this_thread::yield();
    auto const begin = platform::monotonic_ns();
    go.store(1);
    for (auto const& [pid, stamp] : children) {
        platform::wait_process(pid, UINT64_MAX);
        heap::sweep(stamp, true);
    }
    auto const us = static_cast<double>(platform::monotonic_ns() - begin) / 1e3;
    auto const all = rounds * static_cast<std::uint64_t>(processes);
    if (count.load() != all) {
        std::fprintf(stderr, "an increment was lost: no mutual exclusion\n");
        std::exit(1);
    }
    return {static_cast<double>(all) / us, static_cast<double>(hand_overs.load()) / us};
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void row(char const* what, std::vector<double> const& ours, std::vector<double> const& peer) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / peer[i]);
    std::sort(ratios.begin(), ratios.end());
    std::printf("%-44s %9.2f %9.2f   ratio %5.2f [%.2f to %.2f]\n", what, median(ours),
                median(peer), ratios[ratios.size() / 2], ratios.front(), ratios.back());
}

}  // namespace

int main(int argc, char** argv) {
    auto const pairs = argc > 1 ? std::atoi(argv[1]) : 15;
    mp::Lock lock;
    mp::RLock rlock;
    mp::Value<long> value(0);
    RobustMutex robust;
    Exchange exchange;
    std::printf("%-44s %9s %9s\n", "", "ours", "peer");

    std::vector<double> ours, recursive, robusts, exchanges;
    for (int i = 0; i < pairs; ++i) {
        ours.push_back(alone_ns(lock));
        robusts.push_back(alone_ns(robust));
        recursive.push_back(alone_ns(rlock));
        exchanges.push_back(alone_ns(exchange));
    }
    row("Lock alone, ns / robust mutex", ours, robusts);
    row("RLock alone, ns / robust mutex", recursive, robusts);
    row("Lock alone, ns / atomic exchange + store", ours, exchanges);

    for (int const processes : {2, 4}) {
        std::vector<double> rate, hand, peer_rate, peer_hand;
        for (int i = 0; i < pairs; ++i) {
            auto const mine = contended(lock, processes);
            auto const peer = contended(robust, processes);
            rate.push_back(mine.acquisitions);
            hand.push_back(mine.hand_overs);
            peer_rate.push_back(peer.acquisitions);
            peer_hand.push_back(peer.hand_overs);
        }
        std::printf("%d processes\n", processes);
        row("  Lock acquisitions, M/s / robust mutex", rate, peer_rate);
        row("  Lock hand-overs, M/s / robust mutex", hand, peer_hand);
    }
}
