// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/event.hpp — a flag that threads and processes wait for.
// Layer 2 (synchronization). Mirrors Event of Lib/multiprocessing/synchronize.py.
//
// One word: how often the flag was set << 1 | set. `set` and `clear` are one step each; who is
// killed between setting and waking delays the sleepers by a slice.
#pragma once

#include <multiprocessing/heap/ring_wait.hpp>
#include <multiprocessing/heap/tagged.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>
#include <multiprocessing/timeout.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

namespace multiprocessing {

namespace detail {

struct EventBody {
    heap::Word word{0};
    heap::Event sleepers;
};

}  // namespace detail

/// A flag, clear at first. Setting it wakes all who wait.
///
/// Sharing: a handle; copies name the same event, and may travel to any process of the tree.
/// Python: `multiprocessing.Event`.
/// Differs: who waits while it is set and cleared at once returns true, where CPython's may return
/// false. No lock is taken, so `set` in a signal handler cannot deadlock.
class Event {
public:
    /// A new event, clear. Errors: MemoryError.
    Event() : body_(heap::Tagged<detail::EventBody>::make()) {}

    /// Python: `Event.is_set()`.
    bool is_set() const { return (body_->word.load() & 1) != 0; }

    /// Never blocks. Python: `Event.set()`.
    void set() const {
        auto seen = body_->word.load();
        while ((seen & 1) == 0)
            if (body_->word.compare_exchange_weak(seen, ((seen >> 1) + 1) << 1 | 1)) break;
        body_->sleepers.notify_all();
    }

    /// Never blocks. Python: `Event.clear()`.
    void clear() const { body_->word.fetch_and(~std::uint64_t{1}); }

    /// Whether it is set, or was set during the wait.
    /// Blocks: until somebody sets it, or the time-out.
    /// Python: `Event.wait(timeout=None)`.
    bool wait(Timeout timeout = {}) const {
        auto const before = body_->word.load();
        if ((before & 1) != 0) return true;
        return heap::try_until(
            body_->sleepers, Deadline{timeout},
            [&] { return body_->word.load() >> 1 != before >> 1; }, [] {});
    }

    /// The same event, not one in the same state.
    bool operator==(Event const& other) const { return body_ == other.body_; }

    /// Python's `repr`, which is its `str` too.
    std::string repr() const {
        return fmt::format("<Event at {} {}>", static_cast<void const*>(&*body_),
                           is_set() ? "set" : "unset");
    }

    /// For what carries handles: the object behind this one, and a handle of such an object.
    heap::Shared const& shared() const { return body_.shared(); }
    static Event from(heap::Shared shared) {
        return Event{heap::Tagged<detail::EventBody>::from(std::move(shared), "Event")};
    }

private:
    explicit Event(heap::Tagged<detail::EventBody> body) : body_(std::move(body)) {}

    heap::Tagged<detail::EventBody> body_;
};

template <>
struct pickle<Event> {
    static void dump(auto& writer, Event const& event) { writer.handle(event.shared()); }
    static Event load(auto& reader) { return Event::from(reader.handle()); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Event> : multiprocessing::detail::ReprFormatter {};
