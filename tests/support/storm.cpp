// SPDX-License-Identifier: MIT
// tests/support/storm.cpp — fork, wait for a random while, kill, fork again.
#include "support/storm.hpp"
#include "support/catch.hpp"

#if __has_include(<sys/wait.h>)

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <random>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace test::storm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::microseconds;

struct Player {
    Role const* role;
    pid_t pid = 0;  // 0: none
};

class Storm {
public:
    explicit Storm(Plan const& plan) : plan_(plan) {
        outcome_.seed = plan.seed != 0
                            ? plan.seed
                            : static_cast<std::uint64_t>(begin_.time_since_epoch().count());
        random_.seed(outcome_.seed);
        for (Role const& role : plan.roles) {
            players_.insert(players_.end(), role.count, Player{&role});
        }
    }
    Storm(Storm const&) = delete;
    Storm& operator=(Storm const&) = delete;
    ~Storm() {
        for (Player& player : players_) {
            end(player);
        }
    }

    Outcome run() {
        for (Player& player : players_) {
            start(player);
        }
        stood_since_ = Clock::now();
        std::uniform_int_distribution<std::int64_t> delay(plan_.shortest_delay.count(),
                                                          plan_.longest_delay.count());
        Clock::time_point const deadline = begin_ + plan_.longest;
        while (outcome_.ok() && outcome_.kills < plan_.kills && Clock::now() < deadline) {
            watch_until(std::min(Clock::now() + microseconds(delay(random_)), deadline));
            if (outcome_.ok() && Clock::now() < deadline) {
                kill_one();
            }
        }
        if (outcome_.ok()) {
            watch_until(Clock::now());  // at least once after the last kill
            wind_down();
        }
        outcome_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
        return outcome_;
    }

private:
    void fault(std::string what) {
        outcome_.faults.push_back(fmt::format("{}: {}", plan_.name, what));
    }

    void start(Player& player) {
        std::fflush(stdout);
        player.pid = static_cast<pid_t>(plan_.fork ? plan_.fork() : ::fork());
        if (player.pid == 0) {
            play(*player.role);
        }
        if (player.pid < 0) {
            player.pid = 0;
            return fault(fmt::format("fork: {}", std::strerror(errno)));
        }
        ++outcome_.starts;
    }

    [[noreturn]] void play(Role const& role) noexcept {
        try {
            role.body();
            if (plan_.leave) {
                plan_.leave();
            }
        } catch (std::exception const& error) {
            fmt::print(stderr, "storm: {}: {} threw: {}\n", plan_.name, role.name, error.what());
            ::_exit(99);
        } catch (...) {
            fmt::print(stderr, "storm: {}: {} threw\n", plan_.name, role.name);
            ::_exit(99);
        }
        ::_exit(0);
    }

    void end(Player& player) {
        if (player.pid != 0) {
            int status = 0;
            ::kill(player.pid, SIGKILL);
            while (::waitpid(player.pid, &status, 0) < 0 && errno == EINTR) {}
            player.pid = 0;
        }
    }

    // Reaps a player that ended by itself. True if it had returned in good order.
    bool ended(Player& player) {
        int status = 0;
        if (player.pid == 0 || ::waitpid(player.pid, &status, WNOHANG) <= 0) {
            return false;
        }
        player.pid = 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fault(fmt::format("{} ended with wait status {:#x}", player.role->name, status));
        }
        return true;
    }

    void kill_one() {
        std::vector<Player*> mortals;
        for (Player& player : players_) {
            if (player.role->mortal && player.pid != 0) {
                mortals.push_back(&player);
            }
        }
        if (mortals.empty()) {
            return fault("nobody is left to be killed");
        }
        Player& victim =
            *mortals[std::uniform_int_distribution<std::size_t>(0, mortals.size() - 1)(random_)];
        pid_t const pid = victim.pid;
        end(victim);
        ++outcome_.kills;
        last_victim_ = &victim.role->name;
        if (plan_.on_kill) {
            plan_.on_kill(Kill{outcome_.kills, victim.role->name, pid});
        }
        start(victim);
    }

    void watch_until(Clock::time_point moment) {
        do {
            look_at_progress();
            for (Player& player : players_) {
                if (ended(player) && outcome_.ok()) {
                    start(player);
                }
            }
            auto const left =
                duration_cast<std::chrono::nanoseconds>(moment - Clock::now()).count();
            if (left > 0) {
                timespec const pause{0, static_cast<long>(std::min<std::int64_t>(left, 500'000))};
                ::nanosleep(&pause, nullptr);
            }
        } while (outcome_.ok() && Clock::now() < moment);
    }

    void look_at_progress() {
        if (!plan_.progress) {
            return;
        }
        Clock::time_point const now = Clock::now();
        std::uint64_t const progress = plan_.progress();
        auto const stood = duration_cast<microseconds>(now - stood_since_);
        outcome_.longest_stall = std::max(outcome_.longest_stall, stood);
        if (progress != progress_) {
            progress_ = progress;
            stood_since_ = now;
        } else if (stood > plan_.stall) {
            fault(fmt::format("no progress for {} ms; the last one killed was {} (seed {})",
                              stood.count() / 1000,
                              last_victim_ != nullptr ? *last_victim_ : "nobody", outcome_.seed));
        }
    }

    void wind_down() {
        if (!plan_.wind_down) {
            return;  // the destructor kills them
        }
        plan_.wind_down();
        Clock::time_point const deadline = Clock::now() + plan_.patience;
        for (Player& player : players_) {
            while (player.pid != 0 && !ended(player)) {
                if (Clock::now() >= deadline) {
                    fault(fmt::format("{} did not wind down (seed {})", player.role->name,
                                      outcome_.seed));
                    break;
                }
                timespec const pause{0, 500'000};
                ::nanosleep(&pause, nullptr);
            }
        }
    }

    Plan const& plan_;
    Clock::time_point const begin_ = Clock::now();
    std::mt19937_64 random_;
    std::vector<Player> players_;
    Outcome outcome_;
    std::uint64_t progress_ = 0;
    Clock::time_point stood_since_;
    std::string const* last_victim_ = nullptr;
};

}  // namespace

Outcome run(Plan const& plan) {
    Outcome outcome = Storm(plan).run();
    fmt::print(
        "storm: {}: {} kills, {} starts, longest stall {} us, {:.2f} s, {} faults, seed {}\n",
        plan.name, outcome.kills, outcome.starts, outcome.longest_stall.count(), outcome.seconds,
        outcome.faults.size(), outcome.seed);
    std::fflush(stdout);
    return outcome;
}

void verify(Outcome const& outcome) {
    CHECK(outcome.kills > 0);
    for (std::string const& fault : outcome.faults) {
        FAIL_CHECK(fault);
    }
}

}  // namespace test::storm

#endif
