// SPDX-License-Identifier: MIT
// multiprocessing/connection/wait.hpp — waits for connections and for the system's handles at once.
// Layer 4 (channels). Mirrors wait of Lib/multiprocessing/connection.py.
#pragma once

#include <multiprocessing/connection/connection.hpp>
#include <multiprocessing/connection/handle_bridge.hpp>
#include <multiprocessing/heap/event.hpp>
#include <multiprocessing/heap/ring_wait.hpp>
#include <multiprocessing/platform/poll.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace multiprocessing::connection {

/// Something that wait() can wait for: a connection, or a handle of the system, such as the
/// sentinel of a process. Equal to what it was made of.
class Waitable {
public:
    template <class T>
    Waitable(Connection<T> const& connection) : end_(detail::ConnectionAccess::end(connection)) {}
    Waitable(platform::native_handle handle) : handle_(handle) {}

    friend bool operator==(Waitable const& a, Waitable const& b) {
        return a.end_ && b.end_ ? a.end_->same_end(*b.end_)
                                : !a.end_ && !b.end_ && a.handle_ == b.handle_;
    }

private:
    friend class Wait;

    std::shared_ptr<detail::PipeEnd> end_;
    platform::native_handle handle_{};
};

/// One call of wait().
class Wait {
public:
    explicit Wait(std::vector<Waitable> const& objects) {
        for (auto const& object : objects) {
            if (object.end_) {
                object.end_->require_readable();
                ends_.emplace_back(count_, object.end_);
            } else {
                handles_.push_back(object.handle_);
                handle_places_.push_back(count_);
            }
            ++count_;
        }
    }

    /// The places of those that are ready, ascending; none once the deadline has passed.
    std::vector<std::size_t> run(Deadline deadline) {
        std::vector<std::size_t> ready;
        auto const look = [&] { return !(ready = look_once()).empty(); };
        if (look() || deadline.expired()) return ready;
        if (ends_.empty()) return places_of(poll(handles_, deadline));
        if (handles_.empty() && heap::Patience::spin(look)) return ready;
        std::optional<HandleBridge> bridge;
        if (!handles_.empty()) bridge.emplace(handles_);
        detail::RareSweep sweep;
        do {
            std::vector<platform::ParkingWord> words;
            for (auto const& [place, end] : ends_) words.push_back(end->arrival().park_word());
            if (bridge) words.push_back(bridge->park_word());
            if (look()) break;
            heap::Event::wait_any(words, deadline);
            if (look()) break;
            sweep();
        } while (!deadline.expired());
        return ready;
    }

private:
    static std::vector<std::size_t> poll(std::vector<platform::native_handle> const& handles,
                                         Deadline deadline) {
        return platform::poll_handles(
            handles, deadline.is_never() ? Timeout::forever : deadline.remaining_ns());
    }

    std::vector<std::size_t> look_once() const {
        std::vector<std::size_t> ready;
        for (auto const& [place, end] : ends_)
            if (end->has_message_or_end()) ready.push_back(place);
        if (!handles_.empty()) {
            auto const more = places_of(platform::poll_handles(handles_, 0));
            ready.insert(ready.end(), more.begin(), more.end());
            std::sort(ready.begin(), ready.end());
        }
        return ready;
    }

    std::vector<std::size_t> places_of(std::vector<std::size_t> indexes) const {
        for (auto& index : indexes) index = handle_places_[index];
        return indexes;
    }

    std::size_t count_ = 0;
    std::vector<std::pair<std::size_t, std::shared_ptr<detail::PipeEnd>>> ends_;
    std::vector<platform::native_handle> handles_;
    std::vector<std::size_t> handle_places_;
};

/// Waits until one or more of the objects are ready: a connection with a message or at its end, a
/// handle that is readable or of a process that ended. Returns all that are, in their order; none
/// when the time passed.
/// Blocks: until one is ready, or the time-out; none waits for ever.
/// Errors: OSError for a closed connection, one that only sends, or something that is no handle.
/// Python: `multiprocessing.connection.wait(object_list, timeout=None)`.
template <std::ranges::input_range Objects>
    requires std::convertible_to<std::ranges::range_value_t<Objects>, Waitable>
std::vector<std::ranges::range_value_t<Objects>> wait(Objects const& objects,
                                                      Timeout timeout = {}) {
    Deadline const deadline(timeout);
    std::vector<std::ranges::range_value_t<Objects>> all(std::ranges::begin(objects),
                                                         std::ranges::end(objects));
    std::vector<std::ranges::range_value_t<Objects>> ready;
    Wait call(std::vector<Waitable>(all.begin(), all.end()));
    for (auto const place : call.run(deadline)) ready.push_back(all[place]);
    return ready;
}
inline std::vector<Waitable> wait(std::initializer_list<Waitable> objects, Timeout timeout = {}) {
    return wait(std::vector<Waitable>(objects), timeout);
}

}  // namespace multiprocessing::connection
