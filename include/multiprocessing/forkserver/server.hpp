// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/server.hpp — a process without threads that forks, reaps, and no more.
// Layer 5 (forkserver). Mirrors main() of Lib/multiprocessing/forkserver.py.
#pragma once

#include <multiprocessing/forkserver/stand_by.hpp>
#include <multiprocessing/heap/fork.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/util/fork_guard.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
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

class Server {
public:
    explicit Server(std::uint64_t stand_bys) : stand_bys_(stand_bys) {}

    /// Until the root of the tree ends, which ends this process too.
    void run() {
        platform::begin_serving([] { board().bell.notify_one(); });
        announce();
        reclaim();
        while (board().stopping.load() == 0) {
            auto const armed = board().bell.arm();
            reap();
            look_after_spare();
            auto const pause = refill();
            board().bell.sleep(armed, std::min(pause, longest_sleep()));
            if (root_is_gone()) break;
        }
        stop();
    }

private:
    struct Spare {
        CellRef cell;
        std::uint64_t since = 0;  // when it was seen on its way to a client; 0: it was not
    };
    struct Tracked {
        CellRef cell;
        heap::SlotStamp stamp;
    };

    static constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
    static constexpr std::uint64_t brief_ns = 20'000'000;
    /// A start that has just taken a stand-by shall not share its processor with a fork, as long
    /// as there is one more.
    static constexpr std::uint64_t refill_delay_ns = 1'000'000;
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
        pid_ = platform::process_id();
    }

    bool root_is_gone() const {
        return !follows_ && platform::liveness(root_) == platform::Liveness::dead;
    }
    std::uint64_t longest_sleep() const {
        auto const fast = std::any_of(spare_.begin(), spare_.end(),
                                      [](Spare const& spare) { return spare.since != 0; });
        return fast ? brief_ns : follows_ ? forever : 100'000'000;
    }

    // ---- those that have ended ---------------------------------------------------------------

    void reap() {
        while (auto const ended = platform::ended_child()) {
            auto const found = children_.find(ended->pid);
            if (found != children_.end()) settle(found->second, ended->exitcode);
            platform::wait_process(ended->pid, 0);  // from here on its number may be another's
            if (found == children_.end()) continue;
            std::erase_if(spare_, [&](Spare const& spare) {
                return spare.cell.bits == found->second.cell.bits;
            });
            children_.erase(found);
        }
    }

    void settle(Tracked const& child, int exitcode) {
        auto const ref = child.cell;
        if (!ref.is_current()) return;  // its client had enough from the child itself
        ref->outcome.store(Outcome::of(exitcode, Outcome::reaped));
        auto seen = ref->state.load();
        auto const phase = CellWord::phase(seen);
        if ((phase == CellWord::forking || phase == CellWord::parked) &&
            ref->state.compare_exchange_strong(
                seen, CellWord::pack(ref.generation(), CellWord::free, {}))) {
            heap::sweep(child.stamp, true);
            return;
        }
        free_if_abandoned(ref);
    }

    /// The cell of a dead child goes when its client is dead too.
    static void free_if_abandoned(CellRef ref) {
        auto const client = CellWord::who(ref->state.load());
        if (!heap::is_dead(client)) return;
        auto const child = heap::SlotStamp::from(ref->child.load());
        heap::sweep(client);
        heap::sweep(child, true);
        if (!heap::is_current(client)) give_back(ref);
    }

    /// Cells of those who died while no server was there to see it.
    void reclaim() {
        auto const me = heap::my_stamp();
        for (std::uint32_t i = 0; i < board().mark.load(); ++i) {
            auto seen = cell(i).state.load();
            auto const phase = CellWord::phase(seen);
            auto const ref = CellRef::of(i, CellWord::generation(seen));
            auto const server = heap::SlotStamp::from(cell(i).server.load());
            if (phase == CellWord::free) continue;
            if (phase == CellWord::forking || phase == CellWord::parked) {
                if (server != me && heap::is_dead(server))
                    cell(i).state.compare_exchange_strong(
                        seen, CellWord::pack(ref.generation(), CellWord::free, {}));
            } else if (heap::is_dead(heap::SlotStamp::from(cell(i).child.load()))) {
                free_if_abandoned(ref);
            }
        }
    }

    // ---- those that are to come --------------------------------------------------------------

    /// Forgets the stand-bys that run a task, and ends those that will never get theirs.
    void look_after_spare() {
        auto const now = platform::monotonic_ns();
        std::erase_if(spare_, [now](Spare& spare) {
            auto const ref = spare.cell;
            if (!ref.is_current()) return true;
            auto const state = ref->state.load();
            auto const phase = CellWord::phase(state);
            if (phase == CellWord::claimed || phase == CellWord::handed) {
                if (spare.since == 0) spare.since = now;
                if (now - spare.since < brief_ns || !heap::is_dead(CellWord::who(state)))
                    return false;
                platform::kill_process(static_cast<std::int64_t>(ref->pid.load()));
                return true;
            }
            return phase == CellWord::running || phase == CellWord::revoked;
        });
    }

    /// Forks what is missing, or returns how long that can wait.
    std::uint64_t refill() {
        auto const in = [](CellRef ref, CellWord::Phase phase) {
            return CellWord::phase(ref->state.load()) == phase;
        };
        auto const count = [&] {
            return static_cast<std::uint64_t>(
                std::count_if(spare_.begin(), spare_.end(), [&](Spare const& spare) {
                    return in(spare.cell, CellWord::parked) || in(spare.cell, CellWord::forking);
                }));
        };
        board().ready.store(static_cast<std::uint64_t>(std::count_if(
            spare_.begin(), spare_.end(),
            [&](Spare const& spare) { return in(spare.cell, CellWord::parked); })));
        auto const wanted = board().wanted.exchange(0) != 0;
        auto const enough = std::max(stand_bys_, std::uint64_t{wanted});
        auto const now = platform::monotonic_ns();
        if (count() >= enough) {
            refill_at_ = 0;
            return forever;
        }
        if (count() != 0 && !wanted) {
            if (refill_at_ == 0) refill_at_ = now + refill_delay_ns;
            if (now < refill_at_) return refill_at_ - now;
        }
        refill_at_ = 0;
        try {
            while (count() < enough) fork_one();
        } catch (Error const& error) {
            auto const* const os = dynamic_cast<OSError const*>(&error);
            auto& refusal = board().refusal;
            auto const code = static_cast<std::uint32_t>(os != nullptr ? os->code().value() : 0);
            refusal.store(((refusal.load() >> 32) + 1) << 32 | code);
            board().parked.notify_all();
        }
        return forever;
    }

    CellRef take_cell() {
        if (++taken_ % 64 == 0) reclaim();
        for (bool const reclaimed : {false, true}) {
            for (std::uint32_t i = 0; i < cells; ++i) {
                auto const index = (cursor_ + i) % cells;
                auto const seen = cell(index).state.load();
                if (CellWord::phase(seen) != CellWord::free) continue;
                cursor_ = index;
                return prepare(index, (CellWord::generation(seen) + 1) & 0xff'ffff);
            }
            if (!reclaimed) reclaim();
        }
        throw MemoryError("more than " + std::to_string(cells) +
                          " processes that the fork server has started");
    }

    /// Only a server takes cells, and there is one at a time.
    static CellRef prepare(std::uint32_t index, std::uint64_t generation) {
        auto& fresh = cell(index);
        auto const me = heap::my_stamp();
        fresh.server.store(me.bits());
        fresh.child.store(0);
        fresh.pid.store(0);
        fresh.task.store(0);
        fresh.outcome.store(0);
        fresh.bell.reset();
        fresh.state.store(CellWord::pack(generation, CellWord::forking, me));
        if (board().mark.load() <= index) board().mark.store(index + 1);
        return CellRef::of(index, generation);
    }

    void fork_one() {
        if (auto const threads = platform::thread_count(); threads != 1) refuse_to_fork(threads);
        auto const fresh = take_cell();
        try {
            fork_into(fresh);
        } catch (...) {
            give_back(fresh);
            throw;
        }
    }

    void fork_into(CellRef fresh) {
        heap::ChildSlot slot("stand-by");
        auto const stamp = slot.stamp();
        fresh->child.store(stamp.bits());
        auto end = platform::lifeline_end(pid_, platform::lifeline());
        auto& table = process::Table::instance();
        std::optional<std::vector<void (*)()>> after_fork;
        std::int64_t child = 0;
        {
            std::scoped_lock guard(table.mutex);
            util::ForkGuard const util_guard;
            spare_.reserve(spare_.size() + 1);
            children_.reserve(children_.size() + 1);
            auto const forked = heap::fork(slot);
            if (forked.side == platform::ForkSide::child) {
                after_fork = util::reset_after_fork();
                process::become_child(table, std::make_shared<process::Child>(),
                                      StartMethod::forkserver, {});
            }
            child = forked.pid;
        }
        if (after_fork) StandBy(fresh, pid_).run(std::move(end), *after_fork);
        fresh->pid.store(static_cast<std::uint64_t>(child));
        spare_.push_back({fresh});
        children_.emplace(child, Tracked{fresh, stamp});
    }

    [[noreturn]] static void refuse_to_fork(unsigned threads) {
        process::print_error("multiprocessing: the fork server has " + std::to_string(threads) +
                             " threads, and a process with threads cannot be forked safely: "
                             "functions that it preloads must leave none running\n");
        board().server.store(0);
        platform::exit_process(has_threads);
    }

    /// The root ends, and nothing is to be left. Who runs a task has its client to wait for it.
    void stop() {
        for (auto const& [pid, child] : children_) {
            auto seen = child.cell->state.load();
            if (CellWord::generation(seen) != child.cell.generation() ||
                CellWord::phase(seen) > CellWord::parked)
                continue;
            platform::kill_process(pid);
            platform::wait_process(pid, forever);
        }
    }

    std::uint64_t stand_bys_;
    std::vector<Spare> spare_;  // not known to run a task
    std::unordered_map<std::int64_t, Tracked> children_;
    std::uint64_t refill_at_ = 0;
    std::uint64_t taken_ = 0;
    std::uint32_t cursor_ = 0;
    platform::ProcessIdentity root_;
    std::int64_t pid_ = 0;
    bool follows_ = false;
};

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

inline void take_order_and_serve() {
    platform::use_null_stdin();
    auto const order = take_order();
    if (!preload(order)) platform::exit_process(preload_failed);
    process::offer_lifeline();
    StandBy::rehearse(heap::my_stamp());
    // Not on the stack: its children leave from below without unwinding.
    static auto& server = *new Server(order.stand_bys);
    server.run();
}

/// The life of a process that was launched to serve. Returns its exit code.
inline int serve() noexcept { return process::run_target(take_order_and_serve); }

}  // namespace multiprocessing::forkserver
