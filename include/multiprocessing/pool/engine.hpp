// SPDX-License-Identifier: MIT
// multiprocessing/pool/engine.hpp — starts workers, tells their state, ends them: on this machine.
// Layer 6 (pool). Mirrors Pool._repopulate_pool of Lib/multiprocessing/pool.py.
//
// Engines that launch workers elsewhere can stand behind the same operations later.
#pragma once

#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/pool/policy.hpp>
#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/pool/zygote.hpp>
#include <multiprocessing/process/worker.hpp>
#include <multiprocessing/start_method.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace multiprocessing::pool {

/// Why the pool itself has killed a worker, and at which chunk it was seen then.
struct Doom {
    std::uint64_t job;
    std::uint64_t chunk;
    std::exception_ptr reason;
};

/// A worker that was started.
struct Member {
    std::uint32_t desk = 0;
    std::int64_t pid = 0;
    heap::SlotStamp stamp;
    platform::ProcessIdentity identity;
    std::shared_ptr<platform::Handle> sentinel;  // ready at its end; empty where there is no such
    std::optional<process::Worker> child = {};   // unless the zygote has started it
    std::optional<Doom> doom = {};
};

/// What a pool asks of a machine.
template <class E>
concept Engine = requires(E engine, Member& member, std::uint32_t desk) {
    { engine.launch(desk) } -> std::same_as<Member>;
    { engine.has_ended(member) } -> std::same_as<bool>;
    { engine.collect(member) } -> std::same_as<std::optional<int>>;
    engine.kill(member);
};

/// Workers as processes of this tree. Under fork they come from a zygote, which was forked before
/// the pool had threads and has none itself.
/// Sharing: the constructor's thread, then the supervisor.
class LocalEngine {
public:
    LocalEngine(StartMethod method, WorkerOrder order, Policy const& policy)
        : method_(method),
          order_(std::move(order)),
          kind_(std::string(process::method_kind(method)) + policy.kind),
          daemon_(policy.daemon) {
        if (method_ == StartMethod::fork) zygote_ = std::make_unique<Zygote>(order_, daemon_);
    }

    /// Errors: OSError and whatever else a process cannot be started for.
    Member launch(std::uint32_t desk) {
        if (method_ != StartMethod::fork) {
            process::ChildSpec spec;
            spec.kind = kind_;
            spec.daemon = daemon_;
            spec.method = method_;
            auto child = process::start_child(std::move(spec), &run_worker, order_, desk);
            auto sentinel =
                std::make_shared<platform::Handle>(platform::open_process(child.pid()));
            return {desk, child.pid(), child.stamp(), platform::identity_of(child.pid()),
                    std::move(sentinel), std::move(child)};
        }
        if (!zygote_ || !zygote_->is_alive()) zygote_ = std::make_unique<Zygote>(order_, daemon_);
        auto const born = zygote_->fork_worker(kind_ + '-' + std::to_string(++launched_),
                                               desk);
        return {desk, born.pid, born.stamp, platform::identity_of(born.pid),
                std::make_shared<platform::Handle>(platform::open_process(born.pid)), {}};
    }

    bool has_ended(Member& member) const {
        return member.child ? member.child->poll().has_value() : is_dead(member);
    }

    /// Waits for the end of a worker; its slot is swept then. Nothing when nobody knows the status.
    std::optional<int> collect(Member& member) {
        if (member.child) return member.child->wait(Deadline{});
        auto const status = zygote_ ? zygote_->collect(member.pid) : std::nullopt;
        heap::sweep(member.stamp, true);
        return status;
    }

    void kill(Member const& member) const {
        if (!is_dead(member)) platform::kill_process(member.pid);
    }
    void terminate(Member const& member) const {
        if (!is_dead(member)) platform::terminate_process(member.pid);
    }

private:
    /// Also of one that was killed before it took its slot.
    static bool is_dead(Member const& member) {
        return platform::liveness(member.identity) == platform::Liveness::dead ||
               heap::is_dead(member.stamp);
    }

    StartMethod method_;
    WorkerOrder order_;
    std::string kind_;
    bool daemon_;
    std::unique_ptr<Zygote> zygote_;
    std::uint64_t launched_ = 0;
};

static_assert(Engine<LocalEngine>);

}  // namespace multiprocessing::pool
