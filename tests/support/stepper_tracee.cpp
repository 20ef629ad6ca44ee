// SPDX-License-Identifier: MIT
// tests/support/stepper_tracee.cpp — single steps, hardware breakpoints, sleeping system calls.
#include "support/stepper_tracee.hpp"

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MULTIPROCESSING_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define MULTIPROCESSING_TEST_SANITIZED 1
#endif
#endif

namespace test::stepper {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t text_bytes = 512;
constexpr auto asleep_after =
    std::chrono::milliseconds(2);  // below the library's shortest slice of 20 ms

// The operation lies between these two. Their int3 stops a victim that runs at full speed; one that
// is stepped is recognised by the address of end_mark.
[[gnu::noinline]] void begin_mark() { asm volatile("int3" ::: "memory"); }
[[gnu::noinline]] void end_mark() { asm volatile("int3" ::: "memory"); }

void keep(char* text, char const* what) noexcept {
    std::strncpy(text, what[0] != '\0' ? what : "(no text)", text_bytes - 1);
}

[[noreturn]] void play_victim(Part const& part) noexcept {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
        keep(part.text, "PTRACE_TRACEME is refused");
        ::_exit(98);
    }
    std::raise(SIGSTOP);  // the runner sets PTRACE_O_EXITKILL here
    bool begun = false;
    try {
        if (*part.warm_up) {
            (*part.warm_up)();
        }
        auto const& operation = *part.operation;
        begun = true;
        begin_mark();
        operation();
    } catch (std::exception const& error) {
        keep(part.text, error.what());
    } catch (...) {
        keep(part.text, "something that is no std::exception");
    }
    if (!begun) {
        ::_exit(97);
    }
    end_mark();
    if (*part.leave) {
        (*part.leave)();
    }
    ::_exit(0);
}

pid_t wait_for(std::int64_t pid, int& status, int flags) {
    for (;;) {
        pid_t const got = ::waitpid(static_cast<pid_t>(pid), &status, flags | __WALL);
        if (got >= 0 || errno != EINTR) {
            return got;
        }
    }
}

char state_of(std::int64_t pid) {
    std::array<char, 512> line{};
    int const fd = ::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return '?';
    }
    ssize_t const length = ::read(fd, line.data(), line.size() - 1);
    ::close(fd);
    char const* bracket =
        length > 0 ? std::strrchr(line.data(), ')') : nullptr;  // the name may hold anything
    return bracket != nullptr && bracket[1] != '\0' ? bracket[2] : '?';
}

// REP with a string instruction: F2 or F3 among the prefixes, then one byte of opcode. 0: something
// else.
std::size_t length_of_repeat(unsigned char const* bytes) {
    bool repeats = false;
    for (std::size_t i = 0; i < 8; ++i) {
        unsigned const byte = bytes[i];
        if (byte == 0xF2 || byte == 0xF3) {
            repeats = true;
        } else if ((byte >= 0xA4 && byte <= 0xA7) || (byte >= 0xAA && byte <= 0xAF)) {
            return repeats ? i + 1 : 0;
        } else if (byte != 0x66 && byte != 0x67 && (byte & 0xF0) != 0x40) {
            return 0;
        }
    }
    return 0;
}

}  // namespace

std::string refusal() {
#ifdef MULTIPROCESSING_TEST_SANITIZED
    return "a sanitizer is built in";
#else
    pid_t const child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) {
            std::raise(SIGSTOP);
        }
        ::_exit(1);
    }
    int status = 0;
    bool const traced = child > 0 && wait_for(child, status, 0) == child && WIFSTOPPED(status) &&
                        ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0;
    if (child > 0 && !WIFEXITED(status)) {
        ::kill(child, SIGKILL);
        while (wait_for(child, status, 0) > 0 && !WIFEXITED(status) && !WIFSIGNALED(status)) {}
    }
    return traced ? "" : "ptrace is refused";
#endif
}

Tracee::Tracee(Part const& part, std::function<void()> on_asleep)
    : on_asleep_(std::move(on_asleep)), text_(part.text) {
    part.text[0] = '\0';
    std::fflush(stdout);
    pid_ = *part.fork ? (*part.fork)() : ::fork();
    if (pid_ == 0) {
        play_victim(part);
    }
    if (pid_ < 0) {
        throw Trouble(fmt::format("fork of the victim: {}", std::strerror(errno)));
    }
    alive_ = true;
    int status = 0;
    wait_for(pid_, status, 0);
    if (!WIFSTOPPED(status)) {
        understand(status);
    }
    ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_EXITKILL);
    resume(PTRACE_CONT);
    if (wait(false) != Stop::mark) {
        fail("the victim did not come to its operation");
    }
    arrive(false);
}

Tracee::~Tracee() { kill(true); }

void Tracee::fail(std::string const& what) {
    std::string const threw = text_[0] != '\0' ? fmt::format(": threw: {}", text_) : std::string();
    throw Trouble(what + threw);
}

void Tracee::resume(int request) {
    request_ = request;
    if (::ptrace(static_cast<__ptrace_request>(request), pid_, nullptr, nullptr) != 0) {
        fail(fmt::format("ptrace of the victim: {}", std::strerror(errno)));
    }
}

// With watch_sleep a victim that sleeps for a while in a system call counts as arrived there.
Tracee::Stop Tracee::wait(bool watch_sleep) {
    int status = 0;
    for (;;) {
        if (!watch_sleep) {
            wait_for(pid_, status, 0);
        } else {
            auto const begin = Clock::now();
            Clock::time_point asleep_since{};
            while (wait_for(pid_, status, WNOHANG) == 0) {
                auto const now = Clock::now();
                if (now - begin < std::chrono::microseconds(500)) {
                    ::sched_yield();
                    continue;
                }
                if (state_of(pid_) != 'S') {
                    asleep_since = {};
                } else if (asleep_since == Clock::time_point{}) {
                    asleep_since = now;
                } else if (now - asleep_since >= asleep_after) {
                    return Stop::asleep;
                }
                timespec const pause{0, 200'000};
                ::nanosleep(&pause, nullptr);
            }
        }
        int const signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
        bool const crashed = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
                             signal == SIGFPE || signal == SIGABRT || signal == SIGSYS;
        if (signal == 0 || signal == SIGTRAP || crashed) {
            return understand(status);
        }
        // An ordinary signal: it is the victim's own affair. The same resumption again, with the
        // signal.
        long const passed = signal == SIGSTOP ? 0 : signal;
        ::ptrace(static_cast<__ptrace_request>(request_), pid_, nullptr, passed);
    }
}

Tracee::Stop Tracee::understand(int status) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        alive_ = false;
        reaped_ = true;
        fail(WIFEXITED(status)
                 ? fmt::format("the victim ended by itself with exit code {}", WEXITSTATUS(status))
                 : fmt::format("the victim was killed by signal {}", WTERMSIG(status)));
    }
    if (WSTOPSIG(status) != SIGTRAP) {
        fail(fmt::format("the victim crashed with signal {}", WSTOPSIG(status)));
    }
    if (request_ == PTRACE_SINGLESTEP) {
        return Stop::step;
    }
    siginfo_t info{};
    ::ptrace(PTRACE_GETSIGINFO, pid_, nullptr, &info);
    return info.si_code == TRAP_HWBKPT ? Stop::breakpoint : Stop::mark;
}

bool Tracee::set_breakpoint(std::uint64_t address) {
    // Off first: an armed breakpoint is not moved. DR7 = 1: the address in DR0, on execution.
    auto const debug_register = [&](std::size_t i, std::uint64_t value) {
        return ::ptrace(PTRACE_POKEUSER, pid_, offsetof(struct user, u_debugreg) + i * sizeof(long),
                        value) == 0;
    };
    return debug_register(7, 0) &&
           (address == 0 || (debug_register(0, address) && debug_register(7, 1)));
}

void Tracee::arrive(bool same_instruction_repeats) {
    errno = 0;
    long const word = ::ptrace(PTRACE_PEEKUSER, pid_, offsetof(struct user, regs.rip), nullptr);
    if (word == -1 && errno != 0) {
        fail(fmt::format("ptrace of the victim: {}", std::strerror(errno)));
    }
    auto const rip = static_cast<std::uint64_t>(word);
    bool const repeating = same_instruction_repeats && rip == here_.rip();
    rounds_ = repeating ? rounds_ + 1 : 0;
    bool const end = rip == reinterpret_cast<std::uint64_t>(&end_mark);
    here_ = StopPoint(end ? At::end : repeating ? At::repeating : At::instruction, rip);
    if (end && text_[0] != '\0') {
        fail("the operation failed");
    }
}

// The program text is the same in victim and runner, but the library may have been mapped since the
// fork: ask.
Tracee::Class Tracee::class_of(std::uint64_t rip) {
    auto const [entry, is_new] = classes_.try_emplace(rip, Class::plain);
    if (is_new) {
        std::array<long, 2> words{};
        words[0] = ::ptrace(PTRACE_PEEKTEXT, pid_, rip, nullptr);
        words[1] = ::ptrace(PTRACE_PEEKTEXT, pid_, rip + sizeof(long), nullptr);
        std::array<unsigned char, sizeof words> bytes{};
        std::memcpy(bytes.data(), words.data(), sizeof words);
        if (bytes[0] == 0x0F && bytes[1] == 0x05) {
            entry->second = Class::system_call;
        } else if (length_of_repeat(bytes.data()) != 0) {
            entry->second = Class::repeat;
        }
    }
    return entry->second;
}

void Tracee::run_partner() {
    if (on_asleep_) {
        std::exchange(on_asleep_, nullptr)();
    }
}

Tracee::Stop Tracee::wait_to_end_of_sleep() {
    asleep_ = false;
    run_partner();
    return wait(false);
}

void Tracee::advance() {
    if (finished()) {
        return;
    }
    if (asleep_) {
        wait_to_end_of_sleep();
        return arrive(false);
    }
    std::uint64_t const rip = here_.rip();
    Class const kind = class_of(rip);
    if (kind == Class::repeat &&
        rounds_ >= 2) {  // two rounds have shown the torn state: on to its end
        do {
            resume(PTRACE_SINGLESTEP);
            wait(false);
            arrive(true);
            long const words = ::ptrace(PTRACE_PEEKTEXT, pid_, rip, nullptr);
            std::array<unsigned char, sizeof words> bytes{};
            std::memcpy(bytes.data(), &words, sizeof words);
            if (here_.rip() == rip && set_breakpoint(rip + length_of_repeat(bytes.data()))) {
                resume(PTRACE_CONT);
                wait(false);
                set_breakpoint(0);
                arrive(true);
            }
        } while (here_.rip() == rip);
        return;
    }
    resume(PTRACE_SINGLESTEP);
    if (wait(kind == Class::system_call) == Stop::asleep) {
        asleep_ = true;
        here_ = StopPoint(At::asleep, rip);
        return;
    }
    arrive(kind == Class::repeat);
}

bool Tracee::jump(std::uint64_t rip, std::size_t hits) {
    if (!set_breakpoint(rip)) {
        return false;
    }
    while (hits > 0) {
        resume(PTRACE_CONT);
        Stop stop = wait(static_cast<bool>(on_asleep_));
        if (stop == Stop::asleep) {
            stop = wait_to_end_of_sleep();
        }
        if (stop == Stop::mark) {
            here_ = StopPoint(At::end, reinterpret_cast<std::uint64_t>(&end_mark));
            return false;
        }
        --hits;
    }
    set_breakpoint(0);
    arrive(false);
    return true;
}

void Tracee::go_on() {
    if (asleep_) {
        wait_to_end_of_sleep();
    }
    resume(PTRACE_CONT);
    Stop stop = wait(static_cast<bool>(on_asleep_));
    if (stop == Stop::asleep) {
        stop = wait_to_end_of_sleep();
    }
    if (stop != Stop::mark || text_[0] != '\0') {
        fail("the operation failed");
    }
    here_ = StopPoint(At::end, reinterpret_cast<std::uint64_t>(&end_mark));
    resume(PTRACE_CONT);
    int status = 0;
    while (wait_for(pid_, status, 0) > 0 && WIFSTOPPED(status)) {
        int const signal = WSTOPSIG(status);
        ::ptrace(PTRACE_CONT, pid_, nullptr,
                 static_cast<long>(signal == SIGTRAP || signal == SIGSTOP ? 0 : signal));
    }
    alive_ = false;
    reaped_ = true;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail(fmt::format("the victim went on, but left with wait status {:#x}", status));
    }
}

void Tracee::kill(bool reap) {
    if (alive_) {
        alive_ = false;
        ::kill(static_cast<pid_t>(pid_), SIGKILL);
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | __WALL) != 0 &&
               errno == EINTR) {}
    }
    if (reap && pid_ > 0 && !reaped_) {
        int status = 0;
        while (wait_for(pid_, status, 0) > 0 && !WIFEXITED(status) && !WIFSIGNALED(status)) {}
        reaped_ = true;
    }
}

}  // namespace test::stepper

#endif
