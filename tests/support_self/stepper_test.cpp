// SPDX-License-Identifier: MIT
// tests/support_self/stepper_test.cpp — the harness finds planted faults, and passes what is sound.
#include "support/catch.hpp"
#include "support/stepper.hpp"

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace st = test::stepper;
using st::Mode;

namespace {

// A small piece of shared memory that every trial starts anew.
struct Board {
    std::atomic<std::uint32_t> a;
    std::atomic<std::uint32_t> b;
    std::atomic<std::uint32_t> intent;
    std::atomic<std::uint32_t> lock;
    std::array<char, 4096> bytes;
};

Board& board() {
    static Board& shared = *new (::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Board{};
    return shared;
}

void wipe() { new (&board()) Board{}; }

st::Report try_out(st::Scenario scenario, st::Options options) {
    scenario.setup = wipe;
    if (!scenario.warm_up) {
        scenario.warm_up = [] { static_cast<void>(board().a.load()); };
    }
    return st::run(scenario, options);
}

bool skipped(st::Report const& report) {
    if (!report.skipped.empty()) {
        WARN("SKIPPED: stepper: " << report.skipped);
    }
    UNSCOPED_INFO(report.text());
    return !report.skipped.empty();
}

bool mentions(st::Report const& report, std::string const& text) {
    return std::all_of(
        report.failures.begin(), report.failures.end(),
        [&](st::Failure const& failure) { return failure.what.find(text) != std::string::npos; });
}

std::string const torn = "the two words differ";

void check_two_words() { st::expect(board().a == board().b, torn); }

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
    return ::syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

}  // namespace

TEST_CASE("stepper: a word that is changed by one instruction passes in every mode", "[stepper]") {
    st::Scenario scenario{.name = "one word"};
    scenario.operation = [] { board().a.fetch_add(1); };
    scenario.survive = [] { board().a.fetch_add(100); };
    scenario.check = [] {
        std::uint32_t const survivors =
            st::trial().mode == Mode::a_kill || st::trial().undisturbed ? 0 : 100;
        std::uint32_t const victim = board().a - survivors;
        st::expect(victim <= 1, "the word has a third value");
        st::expect(!st::trial().finished || victim == 1, "the operation returned without effect");
    };
    st::Report const report = try_out(scenario, {});
    st::verify(report);
    if (report.skipped.empty()) {
        REQUIRE(report.modes.size() == 3);
        CHECK(report.modes[0].stop_points > 5);
        CHECK(report.modes[0].trials == report.modes[0].stop_points);
    }
}

TEST_CASE("stepper: a kill between two words is found", "[stepper]") {
    st::Scenario scenario{.name = "two words"};
    scenario.operation = [] {
        board().a.fetch_add(1);
        board().b.fetch_add(1);
    };
    scenario.check = check_two_words;
    st::Report const report = try_out(scenario, {.modes = {Mode::a_kill, Mode::c_stop_then_go_on}});
    if (skipped(report)) {
        return;
    }
    REQUIRE_FALSE(report.ok());  // some instructions lie between, more without optimisation
    CHECK(mentions(report, torn));
    for (st::Failure const& failure : report.failures) {
        CHECK(failure.mode == Mode::a_kill);
        CHECK(failure.index > 0);
        CHECK(failure.index + 1 < report.modes[0].stop_points);
        CHECK(failure.where.find("+0x") != std::string::npos);
    }
}

TEST_CASE("stepper: a lost update shows when the victim goes on, and only then", "[stepper]") {
    st::Scenario scenario{.name = "load, then store"};
    scenario.operation = [] { board().a = board().a + 1; };
    scenario.survive = [] { board().a.fetch_add(100); };
    scenario.check = [] {
        bool const lost = board().a == 1 && st::trial().mode == Mode::c_stop_then_go_on &&
                          !st::trial().undisturbed;
        st::expect(!lost, "the survivors' update is lost");
    };
    st::Report const report = try_out(scenario, {});
    if (skipped(report)) {
        return;
    }
    REQUIRE_FALSE(report.ok());
    for (st::Failure const& failure : report.failures) {
        CHECK(failure.mode == Mode::c_stop_then_go_on);
    }
}

TEST_CASE("stepper: a spin lock that is lost with its owner is reported as a hang", "[stepper]") {
    st::Scenario scenario{.name = "spin lock"};
    scenario.operation = [] {
        while (board().lock.exchange(1) != 0) {}
        board().a.fetch_add(1);
        board().lock = 0;
    };
    scenario.check = [] {
        while (board().lock.exchange(1) != 0) {}
        board().lock = 0;
    };
    st::Report const report = try_out(
        scenario,
        {.modes = {Mode::a_kill}, .hang = std::chrono::milliseconds(300), .max_failures = 2});
    if (skipped(report)) {
        return;
    }
    REQUIRE(report.failures.size() == 2);
    CHECK(mentions(report, "hang in check"));
    CHECK(report.modes[0].left_out > 0);
}

TEST_CASE("stepper: a victim asleep in a system call is a stop point, and the partner wakes it",
          "[stepper]") {
    st::Scenario scenario{.name = "futex wait"};
    scenario.warm_up = [] { futex(board().b, FUTEX_WAKE, 1); };
    scenario.operation = [] {
        while (board().a == 0) {
            futex(board().a, FUTEX_WAIT, 0);
        }
        board().b.fetch_add(1);
    };
    scenario.partner = [] {
        board().a = 1;
        futex(board().a, FUTEX_WAKE, INT_MAX);
    };
    scenario.survive = [] { st::expect(board().b <= 1, "b"); };
    scenario.check = [] {
        st::expect(board().b == 0 || st::trial().partner_ran,
                   "it came through the wait on its own");
        st::expect(!st::trial().finished || board().b == 1, "it has finished without effect");
    };
    st::Report const report = try_out(scenario, {});
    st::verify(report);
    for (st::ModeReport const& mode : report.modes) {
        CHECK(mode.diverged == 0);
    }
}

TEST_CASE("stepper: a REP instruction is interrupted within, yet not at each of its rounds",
          "[stepper]") {
    st::Scenario scenario{.name = "rep movsb"};
    scenario.operation = [] {
        static std::array<char, 4096> source;
        source.fill('x');
        void* to = board().bytes.data();
        void const* from = source.data();
        std::size_t count = source.size();
        asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    };
    scenario.check = [] {
        st::expect(board().bytes.front() == board().bytes.back(), "half a message");
    };
    st::Report const report =
        try_out(scenario, {.modes = {Mode::a_kill}, .budget = std::chrono::seconds(15)});
    if (skipped(report)) {
        return;
    }
    CHECK(report.failures.size() == 2);  // after the first and the second round
    CHECK(mentions(report, "half a message"));
}

// A two-word update behind an intent, which whoever comes next completes. The order matters in the
// recovery too.
namespace {

void update_with_intent() {
    board().intent = board().a + 1;
    board().a.store(board().intent);
    board().b.store(board().intent);
    board().intent = 0;
}

void complete() {
    if (std::uint32_t const wanted = board().intent) {
        board().a.store(wanted);
        board().b.store(wanted);
        board().intent = 0;
    }
}

void complete_carelessly() {
    if (std::uint32_t const wanted = board().intent.exchange(0)) {
        board().a.store(wanted);
        board().b.store(wanted);
    }
}

st::Scenario intent_scenario(char const* name, void (*recover)()) {
    st::Scenario scenario{.name = name};
    scenario.operation = update_with_intent;
    scenario.second_operation = recover;
    scenario.check = [recover] {
        recover();
        check_two_words();
    };
    return scenario;
}

}  // namespace

TEST_CASE("stepper: pairs pass a recovery that may itself be killed", "[stepper]") {
    st::Report const report =
        try_out(intent_scenario("intent", complete), {.modes = {Mode::a_kill, Mode::d_pair}});
    st::verify(report);
}

TEST_CASE("stepper: pairs find a recovery that may not be killed, where single kills do not",
          "[stepper]") {
    st::Report const report = try_out(intent_scenario("careless intent", complete_carelessly),
                                      {.modes = {Mode::a_kill, Mode::d_pair}});
    if (skipped(report)) {
        return;
    }
    REQUIRE_FALSE(report.ok());
    CHECK(mentions(report, torn));
    for (st::Failure const& failure : report.failures) {
        CHECK(failure.mode == Mode::d_pair);
    }
}

TEST_CASE("stepper: a pair's first victim may stay stopped or go on", "[stepper]") {
    for (auto const first : {st::First::stays_stopped, st::First::goes_on_afterwards}) {
        st::Scenario scenario{.name = "two adders"};
        scenario.operation = [] { board().a.fetch_add(1); };
        scenario.second_operation = scenario.operation;
        scenario.check = [first] {
            st::expect(board().a <= 2, "a third came");
            bool const both = st::trial().second_finished && first == st::First::goes_on_afterwards;
            st::expect(!both || st::trial().index == 0 || board().a == 2, "one is missing");
        };
        st::verify(try_out(scenario, {.modes = {Mode::d_pair}, .first_victim = first}));
    }
}

TEST_CASE("stepper: a victim that crashes or throws is a failure", "[stepper]") {
    st::Scenario scenario{.name = "null pointer"};
    scenario.operation = [] {
        int volatile* volatile nowhere = nullptr;
        *nowhere = 1;
    };
    st::Report const crash = try_out(scenario, {});
    scenario.name = "throws";
    scenario.operation = [] { throw std::runtime_error("out of apples"); };
    st::Report const error = try_out(scenario, {});
    if (skipped(crash)) {
        return;
    }
    REQUIRE(crash.failures.size() == 1);  // the undisturbed run ends it
    CHECK(mentions(crash, "without any kill: the victim crashed with signal 11"));
    REQUIRE(error.failures.size() == 1);
    CHECK(mentions(error, "out of apples"));
}

TEST_CASE("stepper: a survivor that crashes is a failure of its trial only", "[stepper]") {
    st::Scenario scenario{.name = "survivor crashes"};
    scenario.operation = [] { board().a.fetch_add(1); };
    scenario.check = [] {
        if (st::trial().index == 3 && !st::trial().undisturbed) {
            std::raise(SIGKILL);
        }
    };
    st::Report const report = try_out(scenario, {.modes = {Mode::a_kill}});
    if (skipped(report)) {
        return;
    }
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].index == 3);
    CHECK(mentions(report, "the survivor died of signal 9 in check"));
    CHECK(report.modes[0].trials == report.modes[0].stop_points);
}

TEST_CASE("stepper: a process that a trial leaves behind is found and ended", "[stepper]") {
    st::Scenario scenario{.name = "orphan"};
    scenario.check = [] {
        if (!st::trial().undisturbed && st::trial().index == 0 && ::fork() == 0) {
            for (;;) {
                ::pause();
            }
        }
    };
    scenario.operation = [] { board().a.fetch_add(1); };
    st::Report const report = try_out(scenario, {.modes = {Mode::a_kill}});
    if (skipped(report)) {
        return;
    }
    REQUIRE(report.failures.size() == 1);
    CHECK(mentions(report, "1 processes were left behind"));
    CHECK((::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD));
}

TEST_CASE("stepper: a stride and a range thin out the stop points", "[stepper]") {
    st::Scenario scenario{.name = "stride"};
    scenario.operation = [] {
        for (std::uint32_t i = 0; i < 100; ++i) {
            board().a.fetch_add(1);
        }
    };
    st::Report const report = try_out(
        scenario, {.modes = {Mode::a_kill}, .stride = 10, .first = 50, .last = 149, .seed = 7});
    st::verify(report);
    if (report.skipped.empty()) {
        CHECK(report.modes[0].stop_points > 200);
        CHECK(report.modes[0].trials >= 9);
        CHECK(report.modes[0].trials <= 10);
    }
}

TEST_CASE("stepper: the time budget leaves trials out, and says so", "[stepper]") {
    st::Scenario scenario{.name = "budget"};
    scenario.operation = [] {
        for (std::uint32_t i = 0; i < 1000; ++i) {
            board().a.fetch_add(1);
        }
    };
    st::Report const report =
        try_out(scenario, {.modes = {Mode::a_kill}, .budget = std::chrono::milliseconds(500)});
    if (skipped(report)) {
        return;
    }
    CHECK(report.ok());
    CHECK(report.modes[0].left_out > 0);
    CHECK(report.modes[0].trials + report.modes[0].left_out == report.modes[0].stop_points);
}

TEST_CASE("stepper: the hooks make and end the processes", "[stepper]") {
    static bool prepared = false;  // also in the runner's copy of this process
    auto const forks = [] {
        pid_t const pid = ::fork();
        board().lock.fetch_add(pid == 0 ? 1 : 0);  // the child was here
        return std::int64_t{pid};
    };
    st::Scenario scenario{.name = "hooks"};
    scenario.operation = [] { board().a.fetch_add(1); };
    scenario.check = [] {
        st::expect(board().lock == 1, "the victim comes from elsewhere");
        st::expect(board().b == (st::trial().finished ? 1 : 0), "the victim left by another door");
        st::expect(prepared, "the runner was not prepared");
    };
    st::Options options{.modes = {Mode::c_stop_then_go_on}};
    options.hooks.fork_runner = forks;
    options.hooks.fork_victim = forks;
    options.hooks.leave_victim = [] { board().b.fetch_add(1); };
    options.hooks.after_fork_in_runner = [] { prepared = true; };
    st::verify(try_out(scenario, options));
}

TEST_CASE("stepper: a killed victim may be left as a zombie for the check", "[stepper]") {
    static pid_t victim = 0;
    st::Scenario scenario{.name = "zombie"};
    scenario.operation = [] { board().a.fetch_add(1); };
    scenario.check = [] {
        bool const is_there = st::trial().undisturbed || ::kill(victim, 0) == 0;
        st::expect(is_there, "it was reaped");
    };
    st::Options options{.modes = {Mode::a_kill}, .leave_zombie = true};
    options.hooks.fork_victim = [] { return std::int64_t{victim = ::fork()}; };
    st::verify(try_out(scenario, options));
    options.leave_zombie = false;
    st::Report const report = try_out(scenario, options);
    if (!skipped(report)) {
        CHECK(mentions(report, "it was reaped"));
        CHECK(report.failures.size() == options.max_failures);
    }
}

TEST_CASE("stepper: where ptrace is refused the run is skipped, and not passed", "[stepper]") {
    pid_t const child = ::fork();
    if (child == 0) {
        std::array<sock_filter, 4> rules{{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        }};
        sock_fprog const program{static_cast<unsigned short>(rules.size()), rules.data()};
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
            ::_exit(2);
        }
        st::Scenario scenario{.name = "refused"};
        scenario.operation = [] { board().a.fetch_add(1); };
        st::Report const report = try_out(scenario, {});
        ::_exit(!report.skipped.empty() && report.modes.empty() ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

#endif
