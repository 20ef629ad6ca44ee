// SPDX-License-Identifier: MIT
// multiprocessing/pool/progress.hpp — how far a map has come: a bar on a terminal, or a callback.
// Layer 6 (pool). Mirrors no Python file.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/system.hpp>

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

/// `.progress = true` draws a bar with rate and remaining time where stderr is a terminal, and
/// nothing elsewhere. `.progress = callback` is called with (done, total) elements, in the thread
/// in which callbacks run: after each chunk.
/// Python: none.
class Progress {
public:
    Progress() = default;
    Progress(std::same_as<bool> auto draws) {
        if (draws && platform::stderr_is_terminal()) show_ = Bar{};
    }
    template <std::invocable<std::uint64_t, std::uint64_t> F>
    Progress(F callback) : show_(std::move(callback)) {}

    explicit operator bool() const { return show_ != nullptr; }
    void operator()(std::uint64_t done, std::uint64_t total) const { show_(done, total); }

    /// What the bar looks like after so long.
    static std::string bar(std::uint64_t done, std::uint64_t total, double seconds) {
        constexpr std::uint64_t width = 30;
        auto const filled = total == 0 ? width : done * width / total;
        auto const rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
        auto const left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
        return fmt::format("[{:#<{}}{:.<{}}] {}/{} {:.1f}/s {:.0f} s left", "", filled, "",
                           width - filled, done, total, rate, left);
    }

private:
    struct Bar {
        std::uint64_t began = platform::monotonic_ns();
        std::uint64_t drawn = 0;

        void operator()(std::uint64_t done, std::uint64_t total) {
            auto const now = platform::monotonic_ns();
            if (done < total && now - drawn < 100'000'000) return;
            drawn = now;
            auto const text =
                '\r' + bar(done, total, static_cast<double>(now - began) / 1e9) +
                (done < total ? "" : "\n");
            std::fwrite(text.data(), 1, text.size(), stderr);
            std::fflush(stderr);
        }
    };

    std::function<void(std::uint64_t, std::uint64_t)> show_;
};

}  // namespace multiprocessing
