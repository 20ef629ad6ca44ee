// SPDX-License-Identifier: MIT
// benchmarks/process_start.cpp — what it costs to start and join a process, beside what the system
// itself asks for it.
//
// Limit and library stand in one program and take turns, A B B A; a row is the median of the ratios
// of such rounds. A round with more than 8 % of foreign CPU time is thrown away, if others come.
// Each placement is a run of its own: all on one processor, or all on two.
#include <multiprocessing/context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace mp = multiprocessing;

namespace {

constexpr int answer = 7;  // the exit code of a limit's child, so that it is seen to have run

std::uint64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(t.tv_nsec);
}

void require(bool condition, char const* what) {
    if (condition) return;
    fmt::print(stderr, "process_start: {}\n", what);
    std::exit(1);
}

double median(std::vector<double> xs) {
    std::ranges::sort(xs);
    return xs[xs.size() / 2];
}

// ---- limits --------------------------------------------------------------------------------

void wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {}
    require(WIFEXITED(status) && WEXITSTATUS(status) == answer, "a child of a limit has failed");
}

void raw_fork() {
    pid_t const pid = fork();
    if (pid == 0) _exit(answer);
    wait_for(pid);
}

void raw_spawn() {
    static std::string const self = mp::platform::executable_path();
    char child[] = "--child";
    char* arguments[] = {const_cast<char*>(self.c_str()), child, nullptr};
    pid_t pid = 0;
    require(posix_spawn(&pid, self.c_str(), nullptr, nullptr, arguments, environ) == 0,
            "posix_spawn");
    wait_for(pid);
}

/// The least that a fork server can be: a byte asks, a child is forked and reaped, a byte answers.
class Zygote {
public:
    Zygote() {
        int ends[2];
        require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        pid_ = fork();
        if (pid_ == 0) {
            close(ends[0]);
            for (char c; read(ends[1], &c, 1) == 1;) {
                raw_fork();
                if (write(ends[1], &c, 1) != 1) _exit(1);
            }
            _exit(answer);
        }
        close(ends[1]);
        end_ = ends[0];
    }
    ~Zygote() {
        close(end_);
        wait_for(pid_);
    }
    void operator()() const {
        char c = 1;
        require(write(end_, &c, 1) == 1 && read(end_, &c, 1) == 1, "the zygote has failed");
    }

private:
    int end_ = -1;
    pid_t pid_ = 0;
};

// ---- ours ----------------------------------------------------------------------------------

void nothing() {}
void tell_time(mp::RawValue<std::uint64_t> at) {
    at.value() = now_ns();
    nothing();
}

void start_and_join(mp::Context const& ctx) {
    auto p = ctx.Process(nothing);
    p.start();
    p.join();
    require(p.exitcode() == 0, "a child of ours has failed");
}

/// Lets the server get its stand-bys ready again.
void rest() {
    mp::forkserver::ensure_running();
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
}

// ---- measuring -----------------------------------------------------------------------------

using Sample = std::function<double()>;  // microseconds

Sample timed(std::function<void()> f) {
    return [f = std::move(f)] {
        auto const begin = now_ns();
        f();
        return static_cast<double>(now_ns() - begin) / 1e3;
    };
}
Sample rested(Sample sample) {
    return [sample = std::move(sample)] {
        rest();
        return sample();
    };
}

double batch(Sample const& sample, int n) {
    std::vector<double> xs;
    for (int i = 0; i < n; ++i) xs.push_back(sample());
    return median(xs);
}

/// Seconds of all processors spent working since the start of the machine.
double busy_seconds() {
    std::ifstream stat("/proc/stat");
    std::string cpu;
    std::array<double, 8> x{};
    stat >> cpu;
    for (auto& v : x) stat >> v;
    return (x[0] + x[1] + x[2] + x[5] + x[6]) / static_cast<double>(sysconf(_SC_CLK_TCK));
}
/// Seconds that this process, its children and the fork server with its children have worked.
double own_seconds() {
    double sum = 0;
    for (int const who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage u{};
        getrusage(who, &u);
        for (auto const& t : {u.ru_utime, u.ru_stime})
            sum += static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    }
    auto const server = mp::heap::SlotStamp::from(mp::forkserver::board().server.load());
    if (server) {
        std::ifstream stat(fmt::format("/proc/{}/stat", mp::heap::slot_of(server).pid.load()));
        std::string text;
        for (int field = 1; field <= 17 && stat >> text; ++field)
            if (field >= 14) sum += std::atof(text.c_str()) / 100;
    }
    return sum;
}

struct Row {
    double ratio, low, high, limit, ours, foreign;
    int rounds, dropped;
};

Row compare(Sample const& limit, Sample const& ours, int n, int rounds = 11) {
    batch(limit, 3), batch(ours, 3);
    std::vector<double> ratios, limits, times, foreigns;
    int dropped = 0;
    for (int tries = 0; tries < 3 * rounds && static_cast<int>(ratios.size()) < rounds; ++tries) {
        auto const begin = now_ns();
        auto const busy = busy_seconds(), own = own_seconds();
        double const a1 = batch(limit, n), b1 = batch(ours, n);
        double const b2 = batch(ours, n), a2 = batch(limit, n);
        auto const wall = static_cast<double>(now_ns() - begin) / 1e9;
        auto const foreign = (busy_seconds() - busy - (own_seconds() - own)) / wall;
        if (foreign > 0.08 && tries - dropped < rounds && dropped < 2 * rounds) {
            ++dropped;
            continue;
        }
        ratios.push_back((b1 + b2) / (a1 + a2));
        limits.push_back((a1 + a2) / 2);
        times.push_back((b1 + b2) / 2);
        foreigns.push_back(foreign);
    }
    return {median(ratios), *std::ranges::min_element(ratios), *std::ranges::max_element(ratios),
            median(limits), median(times), median(foreigns), static_cast<int>(ratios.size()),
            dropped};
}

void print(std::string_view what, double goal, Row const& r) {
    fmt::print("{:<52} {:6.3f} [{:.3f} {:.3f}]  goal {:4.2f} {}  {:8.1f} / {:8.1f} us  ({} rounds, "
               "{} dropped, foreign {:.0f} %)\n",
               what, r.ratio, r.low, r.high, goal, r.ratio <= goal ? "ok  " : "MISS", r.ours,
               r.limit, r.rounds, r.dropped, r.foreign * 100);
    std::fflush(stdout);
}

void run(unsigned processors, std::string_view only) {
    auto const wants = [&](std::string_view row) { return only.empty() || row == only; };
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned i = 0; i < processors; ++i) CPU_SET(i, &set);
    require(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
    fmt::print("on {} processor{}\n", processors, processors == 1 ? "" : "s");

    Zygote const zygote;  // before this process has grown
    auto const fork_ctx = mp::get_context("fork"), spawn_ctx = mp::get_context("spawn"),
               server_ctx = mp::get_context("forkserver");
    auto const limit_fork = timed(raw_fork), limit_zygote = timed([&] { zygote(); });
    auto const server = timed([&] { start_and_join(server_ctx); });
    auto at = mp::RawValue<std::uint64_t>(0);
    auto const first_instruction = [&] {
        rest();
        at.value() = 0;
        auto p = server_ctx.Process(tell_time, at);
        auto const begin = now_ns();
        p.start();
        p.join();
        require(p.exitcode() == 0 && at.value() > begin, "a child of ours has failed");
        return static_cast<double>(at.value() - begin) / 1e3;
    };

    if (wants("fork"))
        print("fork: start+join / fork+waitpid", 1.2,
              compare(limit_fork, timed([&] { start_and_join(fork_ctx); }), 40));
    if (wants("spawn"))
        print("spawn: start+join / posix_spawn of this program", 1.15,
              compare(timed(raw_spawn), timed([&] { start_and_join(spawn_ctx); }), 12));
    if (wants("server"))
        print("forkserver: start+join / zygote", 1.5, compare(limit_zygote, server, 40));
    auto const warm = processors == 1 ? std::array{0.25, 0.8} : std::array{0.5, 1.2};
    if (wants("warm")) {
        print("forkserver, warm: to first instruction / fork+waitpid", warm[0],
              compare(rested(limit_fork), first_instruction, 15));
        print("forkserver, warm: start+join / fork+waitpid", warm[1],
              compare(rested(limit_fork), rested(server), 15));
    }
    if (wants("big")) {
        auto const before = compare(limit_zygote, server, 40);
        std::size_t const big = std::size_t{1} << 30;
        auto* const memory = static_cast<char*>(mmap(nullptr, big, PROT_READ | PROT_WRITE,
                                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        require(memory != MAP_FAILED, "mmap");
        madvise(memory, big, MADV_NOHUGEPAGE);
        for (std::size_t i = 0; i < big; i += 4096) memory[i] = 1;
        auto after = compare(limit_zygote, server, 40);
        for (auto* x : {&after.ratio, &after.low, &after.high}) *x /= before.ratio;
        after.limit = before.ours;
        print("forkserver: start+join, parent of 1 GiB / small", 1.1, after);
        munmap(memory, big);
    }
}

}  // namespace

/// Without arguments all rows in both placements; with a row's name that row.
int main(int argc, char* argv[]) {
    if (argc > 1 && std::string_view(argv[1]) == "--child") return answer;
    mp::freeze_support();
    std::string_view const only = argc > 1 ? argv[argc - 1] : "";
    if (argc == 3) {
        run(static_cast<unsigned>(std::atoi(argv[1])), only == "all" ? "" : only);
        return 0;
    }
    for (char const* const processors : {"1", "2"}) {
        std::string row(only.empty() ? "all" : only);
        char* arguments[] = {argv[0], const_cast<char*>(processors), row.data(), nullptr};
        pid_t pid = 0;
        int status = 0;
        require(posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments, environ) == 0,
                "posix_spawn");
        while (waitpid(pid, &status, 0) < 0) {}
        if (status != 0) return 1;
    }
}
