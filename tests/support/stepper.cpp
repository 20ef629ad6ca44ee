// SPDX-License-Identifier: MIT
// tests/support/stepper.cpp — starts runners, watches over them, collects what went wrong.
#include "support/stepper.hpp"
#include "support/catch.hpp"
#include "support/stepper_orphans.hpp"
#include "support/stepper_runner.hpp"
#include "support/stepper_symbols.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <tuple>

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace test::stepper {

std::string_view to_string(Mode mode) noexcept {
    switch (mode) {
    case Mode::a_kill: return "a: kill";
    case Mode::b_stop_then_kill: return "b: stop, then kill";
    case Mode::c_stop_then_go_on: return "c: stop, then go on";
    case Mode::d_pair: return "d: pairs";
    case Mode::e_stop_go_on_kill: return "e: stop, go on, then kill";
    }
    return "?";
}

std::string Report::text() const {
    std::string text;
    for (Failure const& failure : failures) {
        bool const went_on = failure.mode == Mode::e_stop_go_on_kill;
        std::string const second = went_on ? fmt::format(" and {} on", failure.second)
                                   : failure.mode != Mode::d_pair ? std::string()
                                   : failure.second == SIZE_MAX
                                       ? std::string(", the end")
                                       : fmt::format(", {}", failure.second);
        text += fmt::format("{} [{}] at {}{}, {}: {}\n", name, to_string(failure.mode),
                            failure.index, second, failure.where, failure.what);
    }
    return text;
}

void expect(bool condition, std::string_view what) {
    if (!condition) {
        throw std::runtime_error(std::string(what));
    }
}

void verify(Report const& report) {
    if (!report.skipped.empty()) {
        WARN("SKIPPED: stepper: " << report.name << ": " << report.skipped);
        return;
    }
    for (ModeReport const& mode : report.modes) {
        if (mode.left_out > 0) {
            WARN("stepper: " << report.name << " [" << to_string(mode.mode)
                             << "]: " << mode.left_out << " trials left out");
        }
        CHECK(mode.trials > 0);
    }
    for (Failure const& failure : report.failures) {
        Report const one{report.name, {}, {}, {failure}};
        FAIL_CHECK(one.text());
    }
}

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)

namespace {

struct Unmap {
    std::size_t bytes;
    void operator()(void* address) const noexcept { ::munmap(address, bytes); }
};

class Watch {
public:
    Watch(Scenario const& scenario, Options const& options)
        : scenario_(scenario),
          options_(options),
          seed_(options.seed != 0 ? options.seed : static_cast<std::uint64_t>(now_ns())),
          memory_(nullptr, Unmap{sizeof(Control) + 2 * trace_bytes()}) {
        void* const memory = ::mmap(nullptr, memory_.get_deleter().bytes, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::runtime_error(fmt::format("mmap: {}", std::strerror(errno)));
        }
        memory_.reset(memory);
        control_ = new (memory) Control{};
        auto* const points = reinterpret_cast<StopPoint*>(control_ + 1);
        traces_ = {Trace{points, &control_->lengths[0]},
                   Trace{points + options_.max_steps + 2, &control_->lengths[1]}};
    }

    // False: the undisturbed run already failed.
    bool run_mode(Mode mode, Report& report) {
        std::int64_t const begin = now_ns();
        std::int64_t const deadline = begin + options_.budget.count() * 1'000'000;
        for (auto* const counter :
             {&control_->cursor, &control_->second_cursor, &control_->pair_stride,
              &control_->planned, &control_->trials, &control_->diverged}) {
            *counter = 0;
        }
        std::size_t failures = 0;
        while (auto failure = run_runner(mode, deadline)) {
            report.failures.push_back(std::move(*failure));
            if (++failures >= options_.max_failures || *traces_[0].length == 0) {
                break;
            }
        }
        ModeReport line{.mode = mode};
        line.stop_points = *traces_[0].length;
        line.trials = control_->trials + failures;
        line.left_out = control_->planned - std::min<std::size_t>(control_->planned, line.trials);
        line.diverged = control_->diverged;
        line.seconds = static_cast<double>(now_ns() - begin) / 1e9;
        std::string const pairs = mode != Mode::d_pair
                                      ? std::string()
                                      : fmt::format(" x {}, every {}", traces_[1].length->load(),
                                                    control_->pair_stride.load());
        fmt::print("stepper: {} [{}]: {} stop points{}, {} trials, {} failures, {:.2f} s{}{}\n",
                   report.name, to_string(mode), line.stop_points, pairs, line.trials, failures,
                   line.seconds,
                   line.diverged > 0 ? fmt::format(", {} diverged", line.diverged) : "",
                   line.left_out > 0 ? fmt::format(", {} LEFT OUT", line.left_out) : "");
        std::fflush(stdout);
        report.modes.push_back(line);
        return *traces_[0].length != 0;
    }

private:
    std::size_t trace_bytes() const { return (options_.max_steps + 2) * sizeof(StopPoint); }

    // One runner, until it is done (nothing is returned) or a trial has failed.
    std::optional<Failure> run_runner(Mode mode, std::int64_t deadline) {
        control_->text[0] = '\0';
        control_->phase = Phase::starting;
        std::fflush(stdout);
        auto const& fork = options_.hooks.fork_runner;
        auto const runner = static_cast<pid_t>(fork ? fork() : ::fork());
        if (runner < 0) {
            throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
        }
        if (runner == 0) {
            play_runner(mode, deadline);
        }
        std::string trouble = watch(runner);
        if (std::size_t const left = orphans_.collect(std::chrono::seconds(2));
            left > 0 && trouble.empty()) {
            trouble = fmt::format("{} processes were left behind", left);
            control_->cursor =
                control_->planned.load();  // nobody knows which trial it was: end the mode
        }
        return trouble.empty() ? std::nullopt : std::optional(describe(mode, trouble));
    }

    [[noreturn]] void play_runner(Mode mode, std::int64_t deadline) noexcept {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        int code = 0;
        try {
            adopt(*control_);
            pin();
            if (options_.hooks.after_fork_in_runner) {
                options_.hooks.after_fork_in_runner();
            }
            Runner(scenario_, options_, mode, seed_, deadline, *control_, traces_).run();
            if (options_.hooks.leave_runner) {
                options_.hooks.leave_runner();
            }
        } catch (std::exception const& error) {
            code = say(error.what());
        } catch (...) {
            code = say("a callback threw something that is no std::exception (use stepper::expect, "
                       "not REQUIRE)");
        }
        ::_exit(code);
    }

    int say(char const* what) noexcept {
        std::strncpy(control_->text.data(), what[0] != '\0' ? what : "(no text)",
                     control_->text.size() - 1);
        return 1;
    }

    // Two processes that take turns run faster on one CPU: no wake-up across, no idle state. On a
    // busy machine each turn would wait for others' time slices; with some priority (root) it is a
    // hundred times as fast.
    void pin() const {
        if (options_.pin) {
            ::setpriority(PRIO_PROCESS, 0, -10);
        }
        cpu_set_t allowed;
        CPU_ZERO(&allowed);
        if (!options_.pin || ::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
            return;
        }
        auto turn = seed_ % static_cast<unsigned>(std::max(CPU_COUNT(&allowed), 1));
        for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &allowed) && turn-- == 0) {
                CPU_ZERO(&allowed);
                CPU_SET(cpu, &allowed);
                ::sched_setaffinity(0, sizeof allowed, &allowed);
                return;
            }
        }
    }

    // Returns why the runner did not end well; empty if it did.
    std::string watch(pid_t runner) {
        int const end = static_cast<int>(::syscall(SYS_pidfd_open, runner, 0));
        std::uint64_t seen = control_->progress;
        std::int64_t last = now_ns();
        std::int64_t silent_ns = 0;
        std::string hang;
        int status = 0;
        for (;;) {
            if (::waitpid(runner, &status, WNOHANG) != 0) {
                break;
            }
            // A machine that was itself stopped for a while is no hang: no look counts for more
            // than 100 ms.
            silent_ns +=
                std::min<std::int64_t>(now_ns() - std::exchange(last, now_ns()), 100'000'000);
            if (std::uint64_t const progress = control_->progress; progress != seen) {
                seen = progress;
                silent_ns = 0;
            } else if (silent_ns > options_.hang.count() * 1'000'000) {
                hang = describe_hang(runner);
                ::kill(runner, SIGKILL);
                ::waitpid(runner, &status, 0);
                break;
            }
            pollfd entry{end, POLLIN, 0};
            ::poll(&entry, end >= 0 ? 1 : 0, end >= 0 ? 20 : 2);
        }
        if (end >= 0) {
            ::close(end);
        }
        if (!hang.empty()) {
            return hang;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            return {};
        }
        if (control_->text[0] != '\0') {
            return control_->text.data();
        }
        return WIFSIGNALED(status)
                   ? fmt::format("the survivor died of signal {} {}", WTERMSIG(status), in_phase())
                   : fmt::format("the survivor left with wait status {:#x} {}", status, in_phase());
    }

    std::string in_phase() const {
        switch (control_->phase.load()) {
        case Phase::starting: return "while starting";
        case Phase::setup: return "in setup";
        case Phase::forking: return "while forking and warming up the victim";
        case Phase::stepping: return "while stepping";
        case Phase::survive: return "in survive";
        case Phase::going_on: return "while the victim goes on";
        case Phase::check: return "in check";
        }
        return {};
    }

    std::string describe_hang(pid_t runner) const {
        Phase const phase = control_->phase;
        bool const victim_acts = phase == Phase::going_on || phase == Phase::stepping;
        std::int64_t const who = victim_acts ? control_->victim.load() : runner;
        return fmt::format("hang {}, {} is in {}", in_phase(),
                           victim_acts ? "the victim" : "the survivor",
                           who > 0 ? whereabouts(who) : "no process");
    }

    Failure describe(Mode mode, std::string what) const {
        Failure failure{mode, control_->index, control_->second, {}, std::move(what)};
        std::uint64_t const rip = control_->rip;
        if (*traces_[0].length == 0) {
            failure.what = "without any kill: " + failure.what;
        }
        failure.where = rip != 0 ? symbol_of(rip) : "before the operation";
        if (rip != 0 && in_program(rip)) {
            failure.where += " " + line_of(rip);
        } else if (rip != 0) {  // in a library: what called it tells more
            auto const points = traces_[control_->in_second ? 1 : 0].span();
            std::size_t k = std::min<std::size_t>(
                control_->in_second ? failure.second : failure.index, points.size());
            while (k > 0 && !in_program(points[k - 1].rip())) {
                --k;
            }
            if (k > 0) {
                failure.where += fmt::format(" from {} {}", symbol_of(points[k - 1].rip()),
                                             line_of(points[k - 1].rip()));
            }
        }
        return failure;
    }

    Scenario const& scenario_;
    Options const& options_;
    std::uint64_t seed_;
    std::unique_ptr<void, Unmap> memory_;
    Control* control_ = nullptr;
    std::array<Trace, 2> traces_{};
    OrphanHome orphans_;
};

}  // namespace

Report run(Scenario const& scenario, Options const& options) {
    Report report{scenario.name, refusal(), {}, {}};
    if (!report.skipped.empty()) {
        fmt::print("stepper: SKIPPED {}: {}\n", report.name, report.skipped);
        return report;
    }
    Watch watch(scenario, options);
    for (Mode const mode : options.modes) {
        if (!watch.run_mode(mode, report)) {
            break;
        }
    }
    std::sort(
        report.failures.begin(), report.failures.end(), [](Failure const& a, Failure const& b) {
            return std::tuple(a.mode, a.index, a.second) < std::tuple(b.mode, b.index, b.second);
        });
    return report;
}

#else

Report run(Scenario const& scenario, Options const&) {
    Report report{scenario.name, "no ptrace for this system or processor", {}, {}};
    fmt::print("stepper: SKIPPED {}: {}\n", report.name, report.skipped);
    return report;
}

Trial const& trial() noexcept {
    static Trial const none;
    return none;
}

void keep_alive() noexcept {}

#endif

}  // namespace test::stepper
