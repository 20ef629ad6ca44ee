// SPDX-License-Identifier: MIT
// multiprocessing/pool/zygote.hpp — a single-threaded child that forks the workers of a pool.
// Layer 6 (pool). Mirrors the idea of Lib/multiprocessing/forkserver.py, for one pool.
#pragma once

#include <multiprocessing/pool/worker.hpp>
#include <multiprocessing/process/worker.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// A request to the zygote, and its answer.
struct ZygoteLetter {
    enum Kind : std::uint64_t { fork_worker, collect, answer, failed };

    Kind kind;
    std::int64_t pid;
    std::uint64_t stamp;  // of a request: the desk
    std::int64_t status;  // no_status: not known
    std::array<char, 64> text;  // a name, or what went wrong

    static constexpr std::int64_t no_status = 1 << 20;
};
static_assert(sizeof(ZygoteLetter) <= heap::inline_bytes);

namespace detail {

inline void post(heap::Ring const& ring, ZygoteLetter const& letter) {
    auto copy = ring;
    copy.put(std::as_bytes(std::span{&letter, 1}), Deadline{});
}
inline bool receive(heap::Ring const& ring, ZygoteLetter& letter, Deadline deadline) {
    auto copy = ring;
    return copy.get(
        [&](heap::RingItem& item) {
            std::memcpy(&letter, item.bytes().data(), sizeof letter);
        },
        deadline);
}
inline void set_text(ZygoteLetter& letter, std::string_view text) {
    auto const n = std::min(text.size(), letter.text.size() - 1);
    std::memcpy(letter.text.data(), text.data(), n);
    letter.text[n] = '\0';
}

inline ZygoteLetter serve(ZygoteLetter const& request, WorkerOrder const& order, bool daemon,
                          std::vector<process::Worker>& children) {
    ZygoteLetter reply{ZygoteLetter::answer, request.pid, 0, ZygoteLetter::no_status, {}};
    try {
        if (request.kind == ZygoteLetter::fork_worker) {
            process::ChildSpec spec;
            spec.name = request.text.data();
            spec.method = StartMethod::fork;
            spec.daemon = daemon;
            children.push_back(process::start_child(
                std::move(spec), &run_worker, order, static_cast<std::uint32_t>(request.stamp)));
            reply.pid = children.back().pid();
            reply.stamp = children.back().stamp().bits();
        } else if (request.kind == ZygoteLetter::collect) {
            auto const child =
                std::find_if(children.begin(), children.end(),
                             [&](auto const& c) { return c.pid() == request.pid; });
            if (child != children.end()) {
                reply.status = child->wait(Deadline{}).value_or(ZygoteLetter::no_status);
                children.erase(child);
            }
        }
    } catch (std::exception const& error) {
        reply.kind = ZygoteLetter::failed;
        set_text(reply, error.what());
    }
    return reply;
}

/// The target of the zygote. It looks after its parent by itself, since a thread for that would be
/// one thread too many in a process that forks.
inline void run_zygote(heap::Ring requests, heap::Ring answers, WorkerOrder order,
                       bool daemon, std::uint64_t parent) {
    std::vector<process::Worker> children;
    while (!heap::is_dead(heap::SlotStamp::from(parent))) {
        ZygoteLetter request;
        if (receive(requests, request, Deadline(Timeout::from_ns(100'000'000))))
            post(answers, serve(request, order, daemon, children));
    }
    // Not the usual end, which waits for children that are no daemons: they must leave, too.
    platform::exit_process(1);
}

}  // namespace detail

/// The pool's side. Ends its zygote, and so all workers, when it is destroyed.
class Zygote {
public:
    struct Born {
        std::int64_t pid;
        heap::SlotStamp stamp;
    };

    /// Whether its workers are daemons.
    Zygote(WorkerOrder const& order, bool daemon)
        : requests_(heap::Ring::make()), answers_(heap::Ring::make()) {
        process::ChildSpec spec;
        spec.kind = "ForkPoolZygote";
        spec.method = StartMethod::fork;
        spec.watches_parent = false;
        child_.emplace(process::start_child(
            std::move(spec),
            [requests = requests_, answers = answers_, order, daemon,
             me = heap::my_stamp().bits()] {
                detail::run_zygote(requests, answers, order, daemon, me);
            }));
    }
    Zygote(Zygote const&) = delete;
    Zygote& operator=(Zygote const&) = delete;
    ~Zygote() {
        child_->kill();
        child_->wait(Deadline{});
    }

    bool is_alive() const { return !child_->poll().has_value(); }

    /// Errors: ProcessError when the worker could not be forked.
    Born fork_worker(std::string_view name, std::uint32_t desk) {
        ZygoteLetter request{ZygoteLetter::fork_worker, 0, desk, 0, {}};
        detail::set_text(request, name);
        auto const reply = ask(request);
        if (!reply || reply->kind == ZygoteLetter::failed)
            throw ProcessError(std::string("a worker could not be started: ") +
                               (reply ? reply->text.data() : "the process that forks them died"));
        return {reply->pid, heap::SlotStamp::from(reply->stamp)};
    }

    /// The exit code of a worker that has ended or is about to.
    std::optional<int> collect(std::int64_t pid) {
        auto const reply = ask({ZygoteLetter::collect, pid, 0, 0, {}});
        if (!reply || reply->status == ZygoteLetter::no_status) return std::nullopt;
        return static_cast<int>(reply->status);
    }

private:
    std::optional<ZygoteLetter> ask(ZygoteLetter const& request) {
        if (!is_alive()) return std::nullopt;
        detail::post(requests_, request);
        ZygoteLetter reply;
        while (!detail::receive(answers_, reply, Deadline(Timeout::from_ns(20'000'000))))
            if (!is_alive()) return std::nullopt;
        return reply;
    }

    heap::Ring requests_, answers_;
    std::optional<process::Worker> child_;
};

}  // namespace multiprocessing::pool
