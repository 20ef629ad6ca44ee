// SPDX-License-Identifier: MIT
// tests/platform/spawned.hpp — runs a piece of a test in a process that is started anew.
#pragma once

#include <multiprocessing/platform/memory.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/system.hpp>

#include "support/eventually.hpp"
#include "support/host.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace test {

inline constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

/// Starts this program with its hidden case "spawned: `piece`"; the number of the child.
inline std::int64_t spawn(std::string const& piece,
                          std::span<multiprocessing::platform::native_handle const> handles = {}) {
    namespace platform = multiprocessing::platform;
    auto const program = platform::executable_path();
    return platform::spawn_process(program, {program, "spawned: " + piece}, handles);
}

/// A child that runs such a piece; killed and reaped at the end.
class Spawned {
public:
    explicit Spawned(std::string const& piece,
                     std::span<multiprocessing::platform::native_handle const> handles = {})
        : pid_(spawn(piece, handles)) {}
    Spawned(Spawned&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
    Spawned& operator=(Spawned&&) = delete;
    ~Spawned() {
        if (pid_ == 0) return;
        multiprocessing::platform::kill_process(pid_);
        multiprocessing::platform::wait_process(pid_, patience_ns);
    }

    std::int64_t pid() const { return pid_; }

    /// Its exit code, or none if it did not end in time.
    std::optional<int> wait(std::uint64_t timeout_ns = patience_ns) {
        auto const code = multiprocessing::platform::wait_process(pid_, timeout_ns);
        if (code) pid_ = 0;
        return code;
    }

private:
    std::int64_t pid_;
};

/// A child that runs such a piece, which finds the memory by inherited_memory().
inline Spawned spawn_with(multiprocessing::platform::SharedMemory const& memory,
                          std::string const& piece) {
    std::vector const handles{memory.handle()};
    auto const number = multiprocessing::platform::number_of_handle(memory.handle());
    set_environment("MULTIPROCESSING_TEST_MEMORY", std::to_string(number).c_str());
    set_environment("MULTIPROCESSING_TEST_BYTES", std::to_string(memory.reserved()).c_str());
    return Spawned(piece, handles);
}

inline multiprocessing::platform::SharedMemory inherited_memory() {
    namespace platform = multiprocessing::platform;
    auto const number = [](char const* name) {
        return std::stoull(platform::environment(name).value());
    };
    return platform::SharedMemory::attach(
        platform::Handle(platform::handle_of_number(number("MULTIPROCESSING_TEST_MEMORY"))),
        number("MULTIPROCESSING_TEST_BYTES"));
}

}  // namespace test
