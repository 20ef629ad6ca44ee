// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/server.hpp — a process without threads that forks, reaps, and no more.
// Layer 5 (forkserver). Mirrors main() of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/children.hpp>
#include <multiprocessing/forkserver/nursery.hpp>
#include <multiprocessing/forkserver/order.hpp>
#include <multiprocessing/platform/lifeline.hpp>
#include <multiprocessing/platform/serving.hpp>

#include <algorithm>
#include <cstdint>

namespace multiprocessing::forkserver {

class Server {
public:
    explicit Server(std::uint64_t stand_bys) : nursery_(children_, stand_bys) {}

    /// Until the root of the tree ends, which ends this process too.
    void run() {
        platform::begin_serving([] { board().bell.notify_one(); });
        announce();
        Children::reclaim();
        while (board().stopping.load() == 0) {
            auto const armed = board().bell.arm();
            children_.reap();
            children_.look_after();
            auto const pause = nursery_.refill();
            auto const watched = std::min(children_.longest_sleep(), root_interval());
            board().bell.sleep(armed, std::min(pause, watched));
            if (root_is_gone()) break;
        }
        children_.end_stand_bys();
    }

private:
    static constexpr std::uint32_t root_slot = 1;  // the first that a tree takes

    void announce() {
        auto& server = board().server;
        auto const me = heap::my_stamp();
        auto seen = server.load();
        do {
            auto const other = heap::SlotStamp::from(seen);
            if (other && !heap::is_dead(other)) platform::exit_process(is_superfluous);
        } while (!server.compare_exchange_strong(seen, me.bits()));
        board().launcher.store(0);
        board().parked.notify_all();
        auto const& root = heap::State::instance().arena.slot(root_slot);
        root_ = {static_cast<std::int64_t>(root.pid.load()), root.start_time.load()};
        follows_ = platform::follow(platform::lifeline_end(root_.pid, root.notes.load())) &&
                   root.notes.load() != 0;
    }

    /// The system ends us together with the root; where it cannot, we look.
    bool root_is_gone() const {
        return !follows_ && platform::liveness(root_) == platform::Liveness::dead;
    }
    std::uint64_t root_interval() const { return follows_ ? Children::forever : 100'000'000; }

    Children children_;
    Nursery nursery_;
    platform::ProcessIdentity root_;
    bool follows_ = false;
};

inline void take_order_and_serve() {
    platform::use_null_stdin();
    auto const order = take_order();
    if (!preload(order)) platform::exit_process(preload_failed);
    process::offer_lifeline();
    // Not on the stack: its children leave from below without unwinding.
    static auto& server = *new Server(order.stand_bys);
    server.run();
}

/// The life of a process that was launched to serve. Returns its exit code.
inline int serve() noexcept { return process::run_target(take_order_and_serve); }

}  // namespace multiprocessing::forkserver
