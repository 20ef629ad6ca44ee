// SPDX-License-Identifier: MIT
// multiprocessing/process/system_exit.hpp — ends the process from within its target.
// Layer 5 (process). Mirrors Python's SystemExit.
#pragma once

#include <multiprocessing/config.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace multiprocessing {

/// Thrown by the target of a process to end it with an exit code. No std::exception, so that a
/// handler of errors does not swallow it; the destructors on its way run, unlike with `std::exit`.
/// Python: `SystemExit`, `sys.exit`.
class MULTIPROCESSING_VISIBLE SystemExit {
public:
    /// Python: `SystemExit(None)`.
    SystemExit() = default;
    template <std::integral I>
    explicit SystemExit(I code) : code_(static_cast<int>(code)) {}
    /// The text is printed to stderr, the exit code is 1.
    explicit SystemExit(std::string text) : text_(std::move(text)), code_(1) {}

    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] std::string const& text() const noexcept { return text_; }

private:
    std::string text_;
    int code_ = 0;
};

}  // namespace multiprocessing
