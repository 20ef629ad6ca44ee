// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/barrier.hpp — a point that all parties must reach before any goes on.
// Layer 3 (pickling, because of the action). Mirrors Barrier of Lib/multiprocessing/synchronize.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/synchronize/barrier_action.hpp>
#include <multiprocessing/synchronize/parties.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace multiprocessing {

struct BarrierOptions {
    BarrierAction action = {};  // called by the last to arrive, before anybody goes on
    Timeout timeout = {};       // of each `wait` that has none of its own
};

namespace detail {

/// A Barrier's object. Behind it the parties' cells, then the action as it was pickled; the links
/// are the handles that the action holds.
struct BarrierBody {
    std::uint64_t action_bytes = 0;
    bool keeps_action = false;  // in the process that made it and those forked from there only
    Parties parties;

    std::span<std::byte> action() {
        return {reinterpret_cast<std::byte*>(this + 1) + parties.parties() * sizeof(Parties::Cell),
                action_bytes};
    }
};
static_assert(sizeof(BarrierBody) == 16 + sizeof(Parties), "the cells lie right behind Parties");

}  // namespace detail

/// Holds up whoever calls `wait` until `parties` threads or processes have; then all go on, and it
/// may be used again.
///
/// Sharing: a handle; copies name the same barrier, and may travel to any process of the tree, but
/// for one whose action cannot.
/// Python: `multiprocessing.Barrier(parties, action=None, timeout=None)`.
/// Differs: a party that is killed before all have arrived breaks the barrier within 20 ms, where
/// CPython's waits for ever. Fewer than one party is an error at once.
class Barrier {
public:
    /// Errors: ValueError for less than 1 or more than 2^20 parties; MemoryError; what pickling the
    /// action throws.
    explicit Barrier(std::int64_t parties, BarrierOptions options = {})
        : body_(make(parties, options)), action_(std::move(options.action)) {}
    template <std::convertible_to<BarrierAction> F>
    explicit Barrier(std::int64_t parties, F&& action, Timeout timeout = {})
        : Barrier(parties, BarrierOptions{std::forward<F>(action), timeout}) {}

    /// Arrives, and waits for the others. Returns in which place the caller came, from 0 to
    /// parties - 1.
    /// Units: without a time-out that of the constructor. When its time is up the barrier breaks,
    /// unless all have arrived.
    /// Blocks: until all have arrived and the action has run, or the barrier is broken; before that
    /// while the parties of the round before leave.
    /// Errors: BrokenBarrierError when the barrier is or becomes broken or is reset; it names the
    /// process whose end broke it. In the last to arrive what the action throws, which breaks it.
    /// Python: `Barrier.wait(timeout=None)`.
    std::int64_t wait(Timeout timeout = {}) const {
        auto& parties = body_->parties;
        auto const place = parties.enter();
        auto round = place.round;
        if (round.phase() == detail::Round::broken) throw_broken(round);
        if (!parties.is_last(place))
            round = parties.wait(place, timeout.is_forever() ? parties.timeout() : timeout);
        else if (round = parties.now(); round.phase() == detail::Round::filling)
            round = release(place);
        parties.leave(place);
        if (round.phase() != detail::Round::draining) throw_broken(round);
        return static_cast<std::int64_t>(place.index);
    }

    /// Makes all who wait throw BrokenBarrierError, then lets the barrier be used again, also when
    /// it was broken. Never blocks.
    /// Python: `Barrier.reset()`.
    void reset() const { body_->parties.reset(); }

    /// Breaks the barrier: all who wait, and who come until `reset`, throw BrokenBarrierError.
    /// Never blocks.
    /// Python: `Barrier.abort()`.
    void abort() const { body_->parties.break_round(); }

    /// Python: `Barrier.parties`.
    std::int64_t parties() const { return static_cast<std::int64_t>(body_->parties.parties()); }

    /// How many wait for others to arrive; 0 while they leave or when it is broken.
    /// Python: `Barrier.n_waiting`.
    std::int64_t n_waiting() const { return static_cast<std::int64_t>(body_->parties.waiting()); }

    /// Python: `Barrier.broken`.
    bool broken() const { return body_->parties.now().phase() == detail::Round::broken; }

    /// The same barrier, not one in the same state.
    bool operator==(Barrier const& other) const { return body_ == other.body_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        auto const* const address = static_cast<void const*>(&*body_);
        if (broken()) return fmt::format("<multiprocessing.synchronize.Barrier at {}: broken>",
                                         address);
        return fmt::format("<multiprocessing.synchronize.Barrier at {}: waiters={}/{}>", address,
                           n_waiting(), parties());
    }

    /// For what carries handles: the object behind this one, and a handle of such an object.
    /// Errors: PicklingError when its action cannot be called in another process.
    heap::Shared const& shared() const {
        if (body_->keeps_action) BarrierAction::refuse();
        return body_.shared();
    }
    static Barrier from(heap::Shared shared) {
        return Barrier{heap::Tagged<detail::BarrierBody>::from(std::move(shared), "Barrier")};
    }

private:
    using Body = heap::Tagged<detail::BarrierBody>;

    explicit Barrier(Body body) : body_(std::move(body)) {}

    static Body make(std::int64_t parties, BarrierOptions const& options) {
        if (parties < 1) throw ValueError("parties must be >= 1");
        if (parties > 1 << 20) throw ValueError("parties must be <= 1048576");
        auto const count = static_cast<std::uint64_t>(parties);
        HeapCourier courier;
        Writer out{&courier};
        auto const portable = options.action.write(out);
        auto const action = out.bytes();
        auto const handles = courier.handles();
        return Body::make(
            static_cast<std::uint32_t>(handles.size()),
            count * sizeof(detail::Parties::Cell) + action.size(),
            [&](heap::Header& header, detail::BarrierBody& body) {
                body.action_bytes = action.size();
                body.keeps_action = !portable;
                body.parties.begin(count, options.timeout);
                std::ranges::copy(action, body.action().begin());
                for (std::uint32_t i = 0; i < handles.size(); ++i)
                    heap::link(header, i, handles[i]);
            });
    }

    /// By the last: the action, then the others go.
    detail::Round release(detail::Parties::Place const& place) const {
        auto& parties = body_->parties;
        try {
            if (action_) action_();
            else if (auto const action = body_->action(); !action.empty())
                BarrierAction::run(body_.shared().header(), action);
        } catch (...) {
            parties.break_round();
            parties.leave(place);
            throw;
        }
        return parties.release(place);
    }

    [[noreturn, gnu::cold]] static void throw_broken(detail::Round round) {
        if (round.pid() == 0) throw BrokenBarrierError();
        throw BrokenBarrierError(fmt::format(
            "barrier is broken: process {} ended while the others waited for it", round.pid()));
    }

    Body body_;
    BarrierAction action_;  // where it was made, or forked from there
};

template <>
struct pickle<Barrier> {
    static void dump(auto& writer, Barrier const& barrier) { writer.handle(barrier.shared()); }
    static Barrier load(auto& reader) { return Barrier::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Barrier> : multiprocessing::detail::ReprFormatter {};
