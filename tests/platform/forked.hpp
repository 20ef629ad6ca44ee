// SPDX-License-Identifier: MIT
// tests/platform/forked.hpp — runs a piece of a test in a child process.
#pragma once

#include <multiprocessing/platform/process.hpp>

#include "support/eventually.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace test {

namespace platform = multiprocessing::platform;

/// What a child that let an exception escape exits with.
inline constexpr int escaped = 99;

/// A forked child that runs `body` and exits with the int it returns. Killed and reaped at the end.
class Child {
public:
    template <class F>
    explicit Child(F&& body) {
        platform::ForkResult const fork = platform::fork_process();
        pid_ = fork.pid;
        if (fork.side == platform::ForkSide::child) {
            int code = escaped;
            try {
                code = std::forward<F>(body)();
            } catch (std::exception const&) {}
            platform::exit_process(code);
        }
    }
    Child(Child const&) = delete;
    Child& operator=(Child const&) = delete;
    ~Child() {
        if (!reaped_) {
            platform::kill_process(pid_);
            platform::wait_process(pid_, patience_ns);
        }
    }

    std::int64_t pid() const { return pid_; }

    /// Its exit code, or none if it did not end in time.
    std::optional<int> wait(std::uint64_t timeout_ns = patience_ns) {
        auto const code = platform::wait_process(pid_, timeout_ns);
        reaped_ = code.has_value();
        return code;
    }

private:
    std::int64_t pid_ = 0;
    bool reaped_ = false;
};

/// Runs `body` in a child and returns what that exits with.
template <class F>
std::optional<int> in_child(F&& body) {
    return Child(std::forward<F>(body)).wait();
}

/// Whether the sanitizer of this build maps more addresses than a limit would allow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool address_limits_work = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool address_limits_work = false;
#else
inline constexpr bool address_limits_work = true;
#endif
#else
inline constexpr bool address_limits_work = true;
#endif

}  // namespace test
