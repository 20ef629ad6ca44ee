// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/poll.hpp — WaitForMultipleObjects and manual-reset events.
// Layer 1 (platform). Implements platform/poll.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/event.hpp>
#include <multiprocessing/platform/win32/detail/pipe.hpp>
#include <multiprocessing/platform/win32/detail/wait.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace multiprocessing::platform::inline win32 {

namespace detail {

inline constexpr std::size_t most_waits = 64;  // MAXIMUM_WAIT_OBJECTS

// Waits for more handles than the system does at once, in threads that the system has for it.
class WaitForMany {
public:
    explicit WaitForMany(std::span<native_handle const> handles) : any_(make_event()) {
        waits_.reserve(handles.size());
        for (auto const handle : handles) {
            void* wait = nullptr;
            if (::RegisterWaitForSingleObject(&wait, handle, &WaitForMany::on_ready, any_.get(),
                                            infinite, once_in_wait_thread) == 0) {
                cancel();
                throw_last_error("RegisterWaitForSingleObject");
            }
            waits_.push_back(wait);
        }
    }
    WaitForMany(WaitForMany const&) = delete;
    WaitForMany& operator=(WaitForMany const&) = delete;
    ~WaitForMany() { cancel(); }

    dword wait(dword milliseconds) const { return ::WaitForSingleObject(any_.get(), milliseconds); }

private:
    static constexpr dword once_in_wait_thread = 0x8 | 0x4;

    static void __stdcall on_ready(void* event, unsigned char) noexcept { ::SetEvent(event); }

    void cancel() noexcept {
        void* const until_no_callback_runs = reinterpret_cast<void*>(~std::uintptr_t{0});
        for (auto* const wait : waits_) ::UnregisterWaitEx(wait, until_no_callback_runs);
    }

    Handle any_;
    std::vector<void*> waits_;
};

// One of the handles is ready, or the time is over.
inline void wait_for_any(std::span<native_handle const> handles, std::uint64_t timeout_ns) {
    Countdown const countdown(timeout_ns);
    auto const wait = [&](auto const& once) {
        for (;;) {
            auto const limit = countdown.milliseconds();
            auto const result = once(limit);
            if (result == wait_failed) throw_last_error("WaitForMultipleObjects");
            if (result != wait_timeout || countdown.left_ns() == 0) return;
        }
    };
    if (handles.empty()) {
        wait([](dword limit) {
            ::Sleep(limit);
            return wait_timeout;
        });
    } else if (handles.size() <= most_waits) {
        wait([&](dword limit) {
            return ::WaitForMultipleObjects(static_cast<dword>(handles.size()), handles.data(), 0,
                                          limit);
        });
    } else {
        WaitForMany const many(handles);
        wait([&](dword limit) { return many.wait(limit); });
    }
}

}  // namespace detail

inline std::vector<std::size_t> poll_handles(std::span<native_handle const> handles,
                                             std::uint64_t timeout_ns) {
    std::vector<native_handle> waits;
    std::vector<std::unique_ptr<detail::PendingRead>> reads;
    waits.reserve(handles.size());
    for (auto const handle : handles) {
        detail::dword flags = 0;
        if (::GetHandleInformation(handle, &flags) == 0) throw_last_error("GetHandleInformation");
        if (!detail::is_pipe(handle)) {
            waits.push_back(handle);
        } else {
            reads.push_back(std::make_unique<detail::PendingRead>(handle));
            waits.push_back(reads.back()->event());
        }
    }
    std::vector<std::size_t> ready;
    auto const look = [&] {
        for (std::size_t i = 0; i < waits.size(); ++i) {
            auto const result = ::WaitForSingleObject(waits[i], 0);
            if (result == detail::wait_failed) throw_last_error("WaitForSingleObject");
            if (result != detail::wait_timeout) ready.push_back(i);
        }
    };
    look();
    if (ready.empty() && timeout_ns != 0) {
        detail::wait_for_any(waits, timeout_ns);
        look();
    }
    return ready;
}

class Doorbell {
public:
    Doorbell() : event_(detail::make_event()) {}

    void ring() noexcept { ::SetEvent(event_.get()); }
    void drain() noexcept { ::ResetEvent(event_.get()); }

    [[nodiscard]] native_handle handle() const noexcept { return event_.get(); }

private:
    Handle event_;
};

}  // namespace multiprocessing::platform::inline win32
