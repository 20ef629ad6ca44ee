// SPDX-License-Identifier: MIT
// tests/platform/process_win32_test.cpp — CreateProcess: handles, arguments, exit codes.
#include <multiprocessing/platform/process.hpp>

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/exit.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/stream.hpp>

#include "platform/spawned.hpp"
#include "support/catch.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <windows.h>

namespace mp = multiprocessing;
namespace platform = mp::platform;
using test::forever;

namespace {

constexpr wchar_t const* variable = L"MULTIPROCESSING_TEST_HANDLES";

/// The numbers in the environment variable, of handles that the parent had.
std::vector<platform::native_handle> told_handles() {
    wchar_t text[256] = {};
    ::GetEnvironmentVariableW(variable, text, 256);
    std::vector<platform::native_handle> handles;
    wchar_t* at = text;
    for (auto number = std::wcstoull(at, &at, 10); number != 0; number = std::wcstoull(at, &at, 10))
        handles.push_back(platform::handle_of_number(number));
    return handles;
}

void tell_handles(std::vector<platform::native_handle> const& handles) {
    std::wstring text;
    for (auto const handle : handles)
        text += std::to_wstring(platform::number_of_handle(handle)) + L' ';
    ::SetEnvironmentVariableW(variable, text.c_str());
}

std::byte read_byte(platform::native_handle stream) {
    std::array<std::byte, 1> byte{};
    platform::read_all(stream, byte);
    return byte[0];
}

}  // namespace

TEST_CASE("spawned: fault", "[.]") {
    platform::end_at_faults();
    *static_cast<int volatile*>(nullptr) = 1;
}
TEST_CASE("spawned: abort", "[.]") {
    platform::end_at_faults();
    ::signal(SIGABRT, SIG_DFL);
    std::abort();
}
TEST_CASE("spawned: write to the first", "[.]") {
    auto const handles = told_handles();
    platform::write_all(handles.at(0), std::vector{std::byte{'a'}});
    DWORD flags = 0;
    bool const second_is_open = ::GetHandleInformation(handles.at(1), &flags) != 0;
    platform::write_all(handles.at(0), std::vector{std::byte(second_is_open)});
    platform::exit_process(0);
}
TEST_CASE("spawned: exit handlers", "[.]") {
    static platform::native_handle const stream = told_handles().at(0);
    auto const write = [](char c) { platform::write_all(stream, std::vector{std::byte(c)}); };
    static auto const say = write;
    std::atexit([] { say('3'); });
    platform::at_exit([](int) { say('2'); });
    platform::at_exit([](int) { say('1'); });
    std::exit(5);
}
TEST_CASE("spawned: parent", "[.]") {
    auto const told = told_handles();
    auto const parent = static_cast<std::int64_t>(platform::number_of_handle(told.at(0)));
    platform::exit_process(platform::parent_process_id() == parent ? 6 : 7);
}

TEST_CASE("wait_process: a fault reads as the signal that it is elsewhere", "[platform]") {
    CHECK(platform::wait_process(test::spawn("fault"), forever) == -SIGSEGV);
    CHECK(platform::wait_process(test::spawn("abort"), forever) == 3);
}

TEST_CASE("wait_process: nobody gets the number of a child before that is waited for",
          "[platform]") {
    auto const pid = test::spawn("nothing");
    auto const identity = platform::identity_of(pid);
    while (platform::liveness(identity) == platform::Liveness::alive) ::Sleep(1);
    for (int i = 0; i < 8; ++i) {
        auto const other = test::spawn("nothing");
        CHECK(other != pid);
        CHECK(platform::wait_process(other, forever) == 0);
    }
    CHECK(platform::wait_process(pid, forever) == 0);
}

TEST_CASE("spawn_process: only the handles of the list reach the program", "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    platform::Handle const forgotten = platform::duplicate(writer.get());
    platform::set_inheritable(forgotten.get(), true);
    tell_handles({writer.get(), forgotten.get()});
    auto const pid = test::spawn("write to the first", std::vector{writer.get()});
    CHECK(read_byte(reader.get()) == std::byte{'a'});
    CHECK(read_byte(reader.get()) == std::byte{0});
    CHECK(platform::wait_process(pid, forever) == 0);
    DWORD flags = HANDLE_FLAG_INHERIT;
    CHECK(::GetHandleInformation(writer.get(), &flags) != 0);
    CHECK((flags & HANDLE_FLAG_INHERIT) == 0);
}

TEST_CASE("spawn_process: arguments arrive as they were", "[platform]") {
    std::wstring line;
    std::vector<std::wstring> const arguments{
        L"program", L"plain", L"a b", L"", L"quo\"te", L"end\\", L"b \\", L"\\\"", L"\x00e4\t"};
    for (auto const& argument : arguments)
        platform::detail::append_argument(line, argument);
    int count = 0;
    auto* const parsed = ::CommandLineToArgvW(line.c_str(), &count);
    CHECK(std::vector<std::wstring>(parsed, parsed + count) == arguments);
    ::LocalFree(parsed);
}

TEST_CASE("at_exit: runs when the program calls exit, the last one first", "[platform]") {
    auto [reader, writer] = platform::pipe_pair();
    tell_handles({writer.get()});
    auto const pid = test::spawn("exit handlers", std::vector{writer.get()});
    for (char const c : {'1', '2', '3'}) CHECK(read_byte(reader.get()) == std::byte(c));
    CHECK(platform::wait_process(pid, forever) == 5);
}

TEST_CASE("parent_process_id: of a child is this process", "[platform]") {
    tell_handles(
        {platform::handle_of_number(static_cast<std::uint64_t>(platform::process_id()))});
    CHECK(platform::wait_process(test::spawn("parent"), forever) == 6);
}

TEST_CASE("fork_process, interrupt_process: what the system cannot do is said", "[platform]") {
    CHECK_FALSE(platform::has_fork);
    CHECK_THROWS_AS(platform::fork_process(), mp::NotImplementedError);
    CHECK_THROWS_AS(platform::interrupt_process(1), mp::NotImplementedError);
}

TEST_CASE("use_null_stdin: reads find the end", "[platform]") {
    platform::use_null_stdin();
    CHECK(std::getchar() == EOF);
}
