// SPDX-License-Identifier: MIT
// benchmarks/support/pairs.hpp — processes that begin together, and figures measured in pairs.
// Linux only, like the benchmarks that include it.
#pragma once

#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/sharedctypes.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bench {

namespace mp = multiprocessing;

inline std::uint64_t now_ns() { return mp::platform::monotonic_ns(); }

inline void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

inline void pause_cpu() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/// Ends the program: a figure of something that does not work is none.
inline void require(bool condition, char const* what) {
    if (condition) return;
    std::fprintf(stderr, "FAILED: %s\n", what);
    std::_Exit(1);
}

struct Role {
    int cpu;
    std::function<void()> body;
};

/// Nanoseconds from the moment at which all begin until the last one is done. Each role is a
/// process of its own, forked before and ended after.
inline std::uint64_t run(std::vector<Role> const& roles) {
    mp::RawArray<mp::heap::Word> const words(3);
    auto &ready = words[0], &go = words[1], &end = words[2];
    std::vector<std::pair<std::int64_t, mp::heap::SlotStamp>> children;
    for (auto const& role : roles) {
        mp::heap::ChildSlot slot{"bench"};
        auto const stamp = slot.stamp();
        auto const child = mp::heap::fork(slot);
        if (child.side == mp::platform::ForkSide::parent) {
            children.emplace_back(child.pid, stamp);
            continue;
        }
        pin(role.cpu);
        ready.fetch_add(1);
        while (go.load() == 0) ::sched_yield();
        role.body();
        for (auto seen = end.load(), now = now_ns();
             seen < now && !end.compare_exchange_weak(seen, now);) {}
        mp::platform::exit_process(0);
    }
    while (ready.load() != roles.size()) ::sched_yield();
    auto const begin = now_ns();
    go.store(1);
    for (auto const& [pid, stamp] : children) {
        auto const code = mp::platform::wait_process(pid, 120'000'000'000);
        require(code == 0, "a process of the benchmark");
        mp::heap::sweep(stamp, true);
    }
    return end.load() - begin;
}

struct Summary {
    double median = 0, least = 0, most = 0;
};

inline Summary summary(std::vector<double> values) {
    std::ranges::sort(values);
    if (values.empty()) return {};
    return {values[values.size() / 2], values.front(), values.back()};
}

struct Row {
    std::string name;
    std::function<double()> measure;  // 0: not to be had here
};

/// Measures all rows in turn, so often, to and fro; prints each with the first one's figure
/// divided by it, of the same round. The variable ONLY chooses the titles that contain it.
inline void compare(char const* title, char const* unit, int rounds, std::vector<Row> const& rows) {
    if (char const* const only = std::getenv("ONLY"); only && !std::strstr(title, only)) return;
    std::vector<std::vector<double>> figures(rows.size());
    for (auto const& row : rows) row.measure();  // warm
    for (int round = 0; round < rounds; ++round)
        for (std::size_t k = 0; k < rows.size(); ++k) {
            auto const at = round % 2 == 0 ? k : rows.size() - 1 - k;
            figures[at].push_back(rows[at].measure());
        }
    fmt::print("{} [{}], {} rounds\n", title, unit, rounds);
    for (std::size_t k = 0; k < rows.size(); ++k) {
        if (figures[k].front() == 0) continue;
        std::vector<double> ratios;
        for (std::size_t i = 0; i < figures[k].size(); ++i)
            ratios.push_back(figures[0][i] / figures[k][i]);
        auto const figure = summary(figures[k]), ratio = summary(ratios);
        fmt::print("  {:<44} {:>10.4g} ({:.4g} to {:.4g})   ours/it {:.3f} ({:.3f} to {:.3f})\n",
                   rows[k].name, figure.median, figure.least, figure.most, ratio.median,
                   ratio.least, ratio.most);
    }
    std::fflush(stdout);
}

inline int futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen) {
    return static_cast<int>(
        ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0));
}
inline int futex_wake(std::atomic<std::uint32_t>& word, int n) {
    return static_cast<int>(::syscall(SYS_futex, &word, FUTEX_WAKE, n, nullptr, nullptr, 0));
}

/// What a Python program prints as its only number; 0 without python3.
inline double python(std::string const& script) {
    auto* const pipe = ::popen(("python3 -c '" + script + "' 2>/dev/null").c_str(), "r");
    if (pipe == nullptr) return 0;
    double value = 0;
    if (std::fscanf(pipe, "%lf", &value) != 1) value = 0;
    ::pclose(pipe);
    return value;
}

/// Memory that the roles share, of which the kernel has made every page.
inline std::byte* shared_bytes(std::size_t bytes) {
    static std::vector<mp::heap::Shared> kept;
    using mp::heap::Kind, mp::heap::Shared;
    kept.push_back(Shared::make(Kind::plain, 0, bytes + 256, [](std::byte*) {}));
    auto const at = reinterpret_cast<std::uintptr_t>(kept.back().body<std::byte>());
    return reinterpret_cast<std::byte*>((at + 255) / 256 * 256);
}
template <class T>
T& shared_object() {
    return *new (shared_bytes(sizeof(T))) T;
}

}  // namespace bench
