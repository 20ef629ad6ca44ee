// SPDX-License-Identifier: MIT
// tests/support/relative.hpp — a child process for the tests of what processes share.
#pragma once

#include <multiprocessing/process/system_exit.hpp>
#include <multiprocessing/process/worker.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace test {

/// It is forked where that is possible, since then it starts at once, and spawned elsewhere.
class Relative {
public:
    explicit Relative(multiprocessing::process::Worker worker) : worker_(std::move(worker)) {}

    /// The exit code; the slot is swept. Waits no longer than half a minute.
    int join() const {
        auto const code = wait();
        if (code) return *code;
        worker_.kill();
        wait();
        throw std::runtime_error("a child did not end");
    }
    int kill() const {
        worker_.kill();
        return join();
    }

private:
    std::optional<int> wait() const {
        return worker_.wait(
            multiprocessing::Deadline(multiprocessing::Timeout(std::chrono::seconds(30))));
    }

    multiprocessing::process::Worker worker_;
};

/// Calls a lambda that captures nothing in a child, which leaves with what it returns.
template <class F, class... A>
    requires std::is_empty_v<F>
Relative start(F, A const&... arguments) {
    using multiprocessing::StartMethod;
    multiprocessing::process::ChildSpec spec;
    spec.method =
        multiprocessing::platform::has_fork ? StartMethod::fork : StartMethod::spawn;
    auto const run = [](A... given) {
        int const code = F{}(std::move(given)...);
        throw multiprocessing::SystemExit(code);
    };
    return Relative(multiprocessing::process::start_child(std::move(spec), run, arguments...));
}

}  // namespace test
