// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/order.hpp — what a fork server is told by whoever launches it.
// Layer 5 (forkserver). Mirrors the arguments of main() of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/process/report.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace multiprocessing::forkserver {

/// What happens when a preloaded function throws.
enum class OnError : std::uint8_t { ignore, warn, fail };

/// What whoever launches a server tells it.
struct ServerOrder {
    std::vector<std::vector<std::byte>> preload;  // a pickled call each
    OnError on_error = OnError::ignore;
    std::uint64_t stand_bys = 2;
};

/// How a server ends that has never served.
enum ServerExit : int { is_superfluous = 70, preload_failed = 71, has_threads = 72 };

/// Runs the functions that the children shall find run. False: one has thrown, and that matters.
inline bool preload(ServerOrder const& order) {
    for (auto const& call : order.preload) {
        try {
            Reader in{std::span<std::byte const>{call}, Origin::tree};
            reduction::load_task(in).run(in);
        } catch (...) {
            if (order.on_error == OnError::ignore) continue;
            process::report_current_exception();
            if (order.on_error == OnError::fail) return false;
        }
    }
    platform::flush_stdio();  // once, not in each child
    return true;
}

inline ServerOrder take_order() {
    auto& inbox = heap::State::instance().my_slot().inbox;
    auto const message = heap::Hand::take(inbox);
    inbox.store(0, std::memory_order_release);
    if (!message) throw RuntimeError("nobody has told this fork server what to do");
    MessageReader in(message.header());
    return in.reader().read<ServerOrder>();
}

}  // namespace multiprocessing::forkserver
