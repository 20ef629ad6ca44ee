// SPDX-License-Identifier: MIT
// tests/process/process_posix_test.cpp — processes beside the system's own fork, exec, descriptors
// and signals. Not on Windows, which has none of these.
#include <multiprocessing/process/process.hpp>

#include <multiprocessing/context.hpp>

#include "support/capture.hpp"
#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::nothing, test::say_and_sleep, test::sleep_for_ever, test::thrown;

namespace {
void tell_native_id(mp::Queue<std::pair<long, long>> q) {
    q.put({::syscall(SYS_gettid), ::getpid()});
}
}  // namespace

TEST_CASE("Process: the main thread of a child has a number of its own", "[process]") {
    // CPython: _TestProcess.test_process_mainthread_native_id
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::pair<long, long>>();
    auto p = ctx.Process(tell_native_id, q);
    CHECK(test::run(p) == 0);
    auto const [thread, process] = q.get();
    CHECK(thread == process);
    CHECK(process == *p.pid());
    CHECK(thread != ::syscall(SYS_gettid));
}

namespace {
std::atomic<bool> interrupted = false;
void wait_for_interrupt(mp::Queue<int> ready) {
    std::signal(SIGINT, [](int) { interrupted = true; });
    ready.put(1);
    while (!interrupted) std::this_thread::sleep_for(1ms);
    throw mp::RuntimeError("interrupted");
}
}  // namespace

TEST_CASE("Process: interrupt reaches the handler of the child", "[process]") {
    // CPython: _TestProcess.test_interrupt
    auto const ctx = test::each_context();
    auto ready = ctx.Queue<int>();
    auto p = ctx.Process({.name = "Patient"}, wait_for_interrupt, ready);
    test::CaptureStderr captured;
    p.start();
    ready.get();
    p.interrupt();
    CHECK(p.join(30s));
    CHECK(p.exitcode() == 1);
    CHECK(captured.text() == "Process Patient:\nRuntimeError: interrupted\n");
}

namespace {
void run_shell(std::string command) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    throw mp::SystemExit(99);
}
}  // namespace

TEST_CASE("Process: the exit code of a program that the child executes is delivered",
          "[process]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    CHECK(test::run(ctx.Process(run_shell, "exit 7")) == 7);
    CHECK(test::run(ctx.Process(run_shell, "kill -TERM $$")) == -SIGTERM);
    CHECK(test::no_process_left(before));
}

namespace {
void fork_by_hand(mp::Queue<std::string> q) {
    mp::util::Finalize::at_exit(0, [q]() mutable { q.put("finalizer"); });
    auto const child = ::fork();
    if (child == 0) std::exit(3);  // runs nothing of ours
    int status = 0;
    ::waitpid(child, &status, 0);
    q.put(fmt::format("bare child: {}", WEXITSTATUS(status)));
    mp::Process p(nothing);
    p.start();
    p.join();
    q.put(fmt::format("our child: {}", *p.exitcode()));
}
}  // namespace

TEST_CASE("Process: a bare fork() in a child does not disturb it", "[process]") {
    auto const ctx = test::each_context();
    auto q = ctx.Queue<std::string>();
    CHECK(test::run(ctx.Process(fork_by_hand, q)) == 0);
    CHECK(q.get() == "bare child: 3");
    CHECK(q.get() == "our child: 0");
    CHECK(q.get() == "finalizer");
    CHECK(q.empty());
}

namespace {
/// 0 when a child of that method was started and ended while stdin's lock was held by a reader.
void start_beside_reader(std::string method) {
    int ends[2];
    if (::pipe(ends) != 0 || ::dup2(ends[0], STDIN_FILENO) < 0) throw mp::SystemExit(1);
    std::thread([] { std::getchar(); }).detach();
    auto const deadline = std::chrono::steady_clock::now() + 30s;
    while (::ftrylockfile(stdin) == 0) {  // until the reader has it
        ::funlockfile(stdin);
        if (std::chrono::steady_clock::now() > deadline) throw mp::SystemExit(2);
        std::this_thread::sleep_for(1ms);
    }
    auto const code = test::run(mp::get_context(method).Process(
        [] { throw mp::SystemExit(std::getchar() == EOF ? 5 : 6); }));
    ::_exit(code == 5 ? 0 : 3);  // exit() would wait for the reader
}
}  // namespace

TEST_CASE("Process: it starts while another thread reads stdin", "[process]") {
    auto const ctx = test::each_context();
    CHECK(test::run(mp::get_context("spawn").Process(start_beside_reader,
                                                     ctx.get_start_method())) == 0);
}

namespace {
void close_streams() {
    for (int const stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
}
void start_without_streams(std::string method) {
    close_streams();
    auto const ctx = mp::get_context(method);
    auto q = ctx.Queue<int>();
    auto p = ctx.Process(
        [](mp::Queue<int> out) {
            std::fputs(" ", stdout);  // nowhere, but where the fork server's children write
            std::fputs(" ", stderr);
            out.put(7);
        },
        q);
    auto const code = test::run(p);
    if (code != 0) throw mp::SystemExit(10);
    throw mp::SystemExit(q.get(true, 30s) == 7 ? 0 : 11);
}
}  // namespace

TEST_CASE("Process: a child ends well when its parent has no standard streams", "[process]") {
    // CPython: _TestProcess.test_error_on_stdio_flush_1
    auto const ctx = test::each_context();
    CHECK(test::run(mp::get_context("fork").Process(start_without_streams,
                                                    ctx.get_start_method())) == 0);
}

TEST_CASE("Process: a child that breaks its own streams ends well", "[process]") {
    // CPython: _TestProcess.test_error_on_stdio_flush_2
    auto const ctx = test::each_context();
    bool const at_exit = GENERATE(false, true);
    auto p = ctx.Process(
        [](bool late) {
            std::fputs("lost", stdout);
            if (late) mp::util::Finalize::at_exit(0, close_streams);
            else close_streams();
        },
        at_exit);
    CHECK(test::run(p) == 0);
}

namespace {
void use_queue_in_child() {
    ::close(STDIN_FILENO);
    mp::Queue<int> q;
    mp::Process p({.daemon = true}, [](mp::Queue<int> out) { out.put(1); }, q);
    p.start();
    p.join();
    if (q.get() != 1) throw mp::SystemExit(2);
}
void use_pool_in_child() {
    ::close(STDIN_FILENO);
    mp::Pool pool(4);
    if (pool.map([](int x) { return x * x; }, {1, 2, 3}) != std::vector{1, 4, 9})
        throw mp::SystemExit(2);
    pool.close();
    pool.join();
}
}  // namespace

TEST_CASE("Process: queues and children in a child without stdin", "[process]") {
    // CPython: TestStdinBadfiledescriptor.test_queue_in_process
    CHECK(test::run(test::each_context().Process(use_queue_in_child)) == 0);
}

TEST_CASE("Process: a pool in a child without stdin", "[process]") {
    // CPython: TestStdinBadfiledescriptor.test_pool_in_process
    CHECK(test::run(test::each_context().Process(use_pool_in_child)) == 0);
}

namespace {
void look_at_descriptor(int descriptor) {
    struct stat unused {};
    throw mp::SystemExit(::fstat(descriptor, &unused) == 0 ? 1 : 0);
}
}  // namespace

TEST_CASE("Process: descriptors of the program are inherited by fork only", "[process]") {
    // CPython: TestCloseFds.test_closefd
    auto const ctx = test::each_context();
    // Without FD_CLOEXEC, and of a number that no child has by chance.
    int const null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    int const high = ::fcntl(null, F_DUPFD, 700);
    ::close(null);
    REQUIRE(high >= 700);
    CHECK(test::run(ctx.Process(look_at_descriptor, high)) ==
          (ctx.start_method() == mp::StartMethod::fork ? 1 : 0));
    ::close(high);
}

TEST_CASE("Process: an ignored SIGCHLD costs the exit code, not the wait", "[process]") {
    auto const ctx = test::each_context();
    auto p = mp::get_context("fork").Process(
        [](std::string method) {
            std::signal(SIGCHLD, SIG_IGN);
            auto const code = test::run(mp::get_context(method).Process(nothing));
            throw mp::SystemExit(code == 255 || code == 0 ? 0 : 1);
        },
        ctx.get_start_method());
    CHECK(test::run(p) == 0);
}

namespace {
std::atomic<bool> over = false;
/// Holds for moments whatever locks the library has.
void use_library(mp::Context ctx) {
    while (!over) {
        mp::util::Finalize const finalizer([] {}, 1);
        mp::get_logger().log(mp::SUBDEBUG, "not seen");
        mp::Process const p(nothing);
        (void)p.repr();
        (void)mp::active_children();
        (void)mp::parent_process();
        (void)ctx.Queue<int>();
        (void)mp::get_start_method({.allow_none = true});
    }
}
void use_library_once(mp::Queue<int> q) {
    mp::util::Finalize const finalizer([] {}, 1);
    mp::get_logger().warning("child");
    mp::Queue<int> own;
    own.put(1);
    q.put(own.get());
}
}  // namespace

TEST_CASE("Process: locks that other threads hold at the start are free in the child",
          "[process]") {
    // CPython: TestForkAwareThreadLock.test_lock
    auto const ctx = test::each_context();
    over = false;
    auto q = ctx.Queue<int>();
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(use_library, ctx);
    int const rounds = ctx.start_method() == mp::StartMethod::fork ? 50 : 5;
    std::vector<std::optional<int>> codes;
    for (int i = 0; i < rounds; ++i) codes.push_back(test::run(ctx.Process(use_library_once, q)));
    over = true;
    for (auto& thread : threads) thread.join();
    CHECK(codes == std::vector<std::optional<int>>(static_cast<std::size_t>(rounds), 0));
    for (int i = 0; i < rounds; ++i) CHECK(q.get(true, 0s) == 1);
}

namespace {
void count_descriptors(mp::Queue<int> q) {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    q.put(count);
    sleep_for_ever();
}
}  // namespace

TEST_CASE("Process: a child gets no descriptors of its siblings", "[process]") {
    // CPython: _TestProcess.test_child_fd_inflation
    auto const ctx = test::each_context();
    auto q = ctx.Queue<int>();
    std::vector<mp::Process> siblings;
    std::vector<int> counts;
    for (int i = 0; i < 4; ++i) {
        siblings.push_back(ctx.Process(count_descriptors, q));
        siblings.back().start();
        counts.push_back(q.get());
    }
    for (auto& p : siblings) p.kill();
    for (auto& p : siblings) p.join();
    CHECK(counts == std::vector<int>(4, counts.front()));
}

TEST_CASE("Process: only its creator may use the object", "[process]") {
    auto const ctx = mp::get_context("fork");  // no other child has the objects
    mp::Queue<std::string> q;
    mp::Process other(nothing), started(sleep_for_ever);
    started.start();
    auto p = ctx.Process([q, other, started]() mutable {
        q.put(thrown([&] { other.start(); }));
        q.put(thrown([&] { started.join(); }));
        q.put(thrown([&] { (void)started.is_alive(); }));
        q.put(thrown([&] { started.terminate(); }));
        q.put(fmt::format("{}", started));
    });
    p.start();
    p.join();
    CHECK(q.get() == "can only start a process object created by current process");
    CHECK(q.get() == "can only join a child process");
    CHECK(q.get() == "can only test a child process");
    CHECK(q.get() == "can only signal a child process");
    CHECK(q.get() == fmt::format("<Process name='{}' pid={} parent={} unknown>", started.name(),
                                 *started.pid(), *mp::current_process().pid()));
    CHECK(started.is_alive());
    started.kill();
    started.join();
}

TEST_CASE("Process: a child works where there are no handles of processes", "[process]") {
    test::let_signals_kill_children();
    mp::platform::simulate_missing_process_handles(true);
    mp::Queue<int> ready;
    mp::Process p(say_and_sleep, ready);
    p.start();
    ready.get();
    CHECK_THROWS_AS(p.sentinel(), mp::NotImplementedError);
    CHECK_FALSE(p.join(1ms));
    p.terminate();
    CHECK(p.join());
    CHECK(p.exitcode() == -SIGTERM);
    mp::platform::simulate_missing_process_handles(false);
}

TEST_CASE("Process: the status that somebody else has taken reads as 255", "[process]") {
    auto p = mp::get_context("fork").Process(nothing);
    p.start();
    CHECK(mp::platform::wait_process(*p.pid(), 30'000'000'000) == 0);
    CHECK(p.join());
    CHECK(p.exitcode() == 255);
}

TEST_CASE("Process: a lambda that captures is inherited by fork and refused otherwise",
          "[process]") {
    std::string const bound = "bound";
    auto const target = [bound] { throw mp::SystemExit(bound == "bound" ? 6 : 7); };
    auto forked = mp::get_context("fork").Process(target);
    forked.start();
    forked.join();
    CHECK(forked.exitcode() == 6);
    auto const before = test::in_use();
    auto spawned = mp::get_context("spawn").Process(target);
    CHECK_THROWS_AS(spawned.start(), mp::PicklingError);
    CHECK_THAT(thrown([&] { spawned.start(); }),
               ContainsSubstring("lambda") && ContainsSubstring("partial"));
    CHECK(test::no_process_left(before));
    CHECK_THAT(spawned.repr(), ContainsSubstring(" initial>"));
}

TEST_CASE("Process: a child of a bare fork() is refused", "[process]") {
    auto const child = ::fork();
    if (child == 0) {
        auto const text = thrown([] { mp::Process(nothing).start(); });
        auto const more = thrown([] { (void)mp::current_process(); });
        ::_exit(text.find("forked without multiprocessing") != text.npos && more == text ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
}
