// SPDX-License-Identifier: MIT
// tests/forkserver/server_test.cpp — server, stand-bys and clients are killed; the others go on.
#include <multiprocessing/forkserver/server.hpp>

#include "forkserver/servers.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>

namespace mp = multiprocessing;

namespace {

void sleep_for_ever() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}
void leave_when_told(mp::Queue<int> go, bool silently) {
    auto const code = go.get();
    if (silently) ::_exit(code);
    throw mp::SystemExit(code);
}
void have_a_child(mp::Queue<int> pids) {
    mp::Process p(sleep_for_ever);
    p.start();
    pids.put(*p.pid());
    sleep_for_ever();
}
void start_for_ever() {
    for (;;) {
        mp::Process p([] {});
        p.start();
        p.join();
    }
}

bool starts() {
    mp::Value<int> value(0);
    auto p = test::context().Process([](mp::Value<int> v) { v.value() = 1; }, value);
    p.start();
    p.join();
    return p.exitcode() == 0 && value.value() == 1;
}

}  // namespace

TEST_CASE("fork server: an interrupt does not end it", "[forkserver][kill]") {
    // CPython: _TestProcess.test_forkserver_sigint
    mp::Queue<int> go;
    auto p = test::context().Process(leave_when_told, go, false);
    p.start();
    auto const server = test::server_pid();
    ::kill(server, SIGINT);
    CHECK(starts());
    CHECK(test::server_pid() == server);
    go.put(3);
    p.join();
    CHECK(p.exitcode() == 3);
}

TEST_CASE("fork server: killed while a child runs, which goes on", "[forkserver][kill]") {
    // CPython: _TestProcess.test_forkserver_sigkill
    bool const silently = GENERATE(false, true);
    mp::Queue<int> go;
    auto p = test::context().Process(leave_when_told, go, silently);
    p.start();
    CHECK(test::eventually([&] {  // it has taken its task, so it is no longer the server's
        return test::forkserver::CellWord::phase(
                   mp::process::Access::child(p)->cell->state.load()) ==
               test::forkserver::CellWord::running;
    }));
    go.put(4);
    go.put(4);
    test::kill_server();
    CHECK(starts());
    p.join();
    auto const code = *p.exitcode();
    CHECK((code == 4 || code == 255 || code == -SIGKILL));
    static_cast<void>(go.get());
    CHECK(test::eventually([] { return test::used_cells() == 0; }));
}

TEST_CASE("fork server: killed while idle, its stand-bys go with it", "[forkserver][kill]") {
    test::settle();
    auto const server = test::server_pid();
    std::vector<mp::platform::Handle> ends;
    for (auto const pid : test::stand_bys()) ends.push_back(mp::platform::open_process(pid));
    test::kill_server();
    for (auto const& end : ends) CHECK(test::is_gone(end));
    CHECK(starts());
    CHECK(test::server_pid() != server);
}

TEST_CASE("fork server: killed again and again while clients start", "[forkserver][kill]") {
    std::atomic<bool> stop{false};
    std::atomic<int> good{0}, lost{0}, bad{0};
    {
        std::vector<std::jthread> clients;
        for (int t = 0; t < 3; ++t)
            clients.emplace_back([&] {
                while (!stop) {
                    auto p = test::context().Process([] {});
                    p.start();
                    p.join();
                    auto const code = *p.exitcode();
                    ++(code == 0 ? good : code == 255 || code == -SIGKILL ? lost : bad);
                }
            });
        for (int i = 0; i < 25; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(3 + i % 7));
            auto const before = good.load();
            if (test::forkserver::is_serving()) ::kill(test::server_pid(), SIGKILL);
            CHECK(test::eventually([&] { return good != before; }));
        }
        stop = true;
    }
    CHECK(bad == 0);
    CHECK(good >= 25);
    CHECK(starts());
}

TEST_CASE("fork server: stand-bys are killed while clients start", "[forkserver][kill]") {
    test::settle();
    std::atomic<bool> stop{false};
    std::atomic<int> good{0}, lost{0}, bad{0};
    {
        std::vector<std::jthread> clients;
        for (int t = 0; t < 2; ++t)
            clients.emplace_back([&] {
                while (!stop) {
                    auto p = test::context().Process([] {});
                    p.start();
                    p.join();
                    auto const code = *p.exitcode();
                    ++(code == 0 ? good : code == -SIGKILL ? lost : bad);
                }
            });
        for (int i = 0; i < 150; ++i) {
            for (auto const pid : test::stand_bys())
                if (pid > 0 && i % 2 == 0) ::kill(pid, SIGKILL);
            std::this_thread::sleep_for(std::chrono::microseconds(300 + 37 * i));
        }
        stop = true;
    }
    CHECK(bad == 0);
    CHECK(good > 0);
    CHECK(starts());
    test::settle();
    CHECK(test::eventually([] { return test::used_cells() == 0; }));
}

TEST_CASE("fork server: clients are killed while they start", "[forkserver][kill]") {
    test::settle();
    mp::heap::sweep_dead();
    auto const before = mp::heap::statistics();
    for (int i = 0; i < 60; ++i) {
        auto client = test::context().Process(start_for_ever);
        client.start();
        std::this_thread::sleep_for(std::chrono::microseconds(500 + 97 * i));
        client.kill();
        client.join();
        CHECK(client.exitcode() == -SIGKILL);
    }
    CHECK(starts());
    test::settle();
    CHECK(test::eventually([&] {
        mp::heap::sweep_dead();
        auto const now = mp::heap::statistics();
        return now.slots == before.slots && now.blocks == before.blocks;
    }));
}

TEST_CASE("forkserver: children and grandchildren leave with a killed client",
          "[forkserver][kill]") {
    mp::Queue<int> pids;
    auto p = test::context().Process(have_a_child, pids);
    p.start();
    auto const grandchild = mp::platform::open_process(pids.get());
    p.kill();
    p.join();
    CHECK(test::is_gone(grandchild));
}

// What the next test runs as a program of its own.
TEST_CASE("the root of another tree", "[.root]") {
    test::settle();
    mp::Queue<int> pids;
    auto p = test::context().Process(have_a_child, pids);
    p.start();
    auto const grandchild = pids.get();
    CHECK(test::eventually([] { return test::stand_bys().size() == 2; }));
    std::vector<pid_t> all = test::stand_bys();
    for (pid_t const pid : {test::server_pid(), *p.pid(), grandchild}) all.push_back(pid);
    for (auto const pid : all) std::fprintf(stderr, "%d\n", pid);
    sleep_for_ever();
}

TEST_CASE("forkserver: a root that is killed leaves nobody", "[forkserver][kill]") {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    char name[] = "root", only[] = "[.root]";
    char* arguments[] = {name, only, nullptr};
    pid_t root = 0;
    REQUIRE(::posix_spawn(&root, "/proc/self/exe", &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    std::FILE* const pids = ::fdopen(pipe[0], "r");
    std::vector<mp::platform::Handle> ends;
    for (int pid = 0; ends.size() < 5 && std::fscanf(pids, "%d", &pid) == 1;) {
        ends.push_back(mp::platform::open_process(pid));
        CHECK(ends.back());
    }
    CHECK(ends.size() == 5);
    ::kill(root, SIGKILL);
    ::waitpid(root, nullptr, 0);
    for (auto const& end : ends) CHECK(test::is_gone(end));
    std::fclose(pids);
}

// What the next test runs as a program of its own.
TEST_CASE("a start in a program with large arguments", "[.large]") { CHECK(starts()); }

TEST_CASE("fork server: launched by a program with very large arguments", "[forkserver]") {
    // CPython: MiscTestCase.test_preload_main_large_sys_argv
    std::string only = "[.large],";
    only.append(100'000, 'a');  // one argument, nearly as long as the system takes
    char name[] = "large", quiet[] = "--reporter=compact";
    char* arguments[] = {name, only.data(), quiet, nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t program = 0;
    REQUIRE(::posix_spawn(&program, "/proc/self/exe", &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    auto const code = mp::platform::wait_process(program, 60'000'000'000);
    if (!code) ::kill(program, SIGKILL);
    CHECK(code == 0);
}

TEST_CASE("forkserver: a thousand starts leave nothing", "[forkserver]") {
    test::settle();
    for (int i = 0; i < 10; ++i) CHECK(starts());
    test::settle();
    mp::heap::sweep_dead();
    auto const before = mp::heap::statistics();
    auto const descriptors = test::open_descriptors();
    for (int i = 0; i < 1000; ++i) {
        auto p = test::context().Process([] {});
        p.start();
        p.join();
        REQUIRE(p.exitcode() == 0);
    }
    test::settle();
    CHECK(test::used_cells() == 0);
    CHECK(mp::active_children().empty());
    CHECK(test::open_descriptors() == descriptors);
    CHECK(test::eventually([&] {
        mp::heap::sweep_dead();
        auto const now = mp::heap::statistics();
        return now.slots == before.slots && now.blocks == before.blocks;
    }));
}
