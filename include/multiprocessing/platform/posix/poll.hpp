// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/poll.hpp — ppoll and eventfd.
// Layer 1 (platform). Implements platform/poll.hpp.
#pragma once

#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/posix/detail/time.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline std::vector<std::size_t> poll_handles(std::span<native_handle const> handles,
                                             std::uint64_t timeout_ns) {
    constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();
    std::vector<pollfd> waits;
    waits.reserve(handles.size());
    for (native_handle const handle : handles) {
        if (handle < 0) {  // poll would pass over it in silence
            throw_system_error(EBADF, "poll");
        }
        waits.push_back({handle, POLLIN, 0});
    }
    std::uint64_t const start = monotonic_ns();
    std::uint64_t left = timeout_ns;
    int count = 0;
    for (;;) {
        timespec const limit = detail::to_timespec(left);
        count = ::ppoll(waits.data(), waits.size(), left == forever ? nullptr : &limit, nullptr);
        if (count >= 0) {
            break;
        }
        if (errno != EINTR) {
            throw_last_error("ppoll");
        }
        if (timeout_ns != forever) {  // once the time is over, one last look without a sleep
            std::uint64_t const passed = monotonic_ns() - start;
            left = passed < timeout_ns ? timeout_ns - passed : 0;
        }
    }
    std::vector<std::size_t> ready;
    ready.reserve(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < waits.size(); ++i) {
        if ((waits[i].revents & POLLNVAL) != 0) {
            throw_system_error(EBADF, "poll");
        }
        if (waits[i].revents != 0) {
            ready.push_back(i);
        }
    }
    return ready;
}

class Doorbell {
public:
    Doorbell() : handle_(detail::own_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {
        if (!handle_) {
            throw_last_error("eventfd");
        }
    }

    void ring() noexcept {
        std::uint64_t const one = 1;
        int const saved = errno;  // a signal handler may ring
        // EAGAIN means that it rings already, as loud as it can.
        while (::write(handle_.get(), &one, sizeof one) < 0 && errno == EINTR) {}
        errno = saved;
    }

    void drain() noexcept {
        std::uint64_t rings = 0;
        while (::read(handle_.get(), &rings, sizeof rings) < 0 && errno == EINTR) {}
    }

    [[nodiscard]] native_handle handle() const noexcept { return handle_.get(); }

private:
    Handle handle_;
};

}  // namespace multiprocessing::platform::inline posix
