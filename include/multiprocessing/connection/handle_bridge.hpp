// SPDX-License-Identifier: MIT
// multiprocessing/connection/handle_bridge.hpp — lets a thread that sleeps on words hear of handles.
// Layer 4 (channels). Mirrors no Python file.
#pragma once

#include <multiprocessing/heap/event.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/timeout.hpp>

#include <thread>
#include <utility>
#include <vector>

namespace multiprocessing::connection {

/// A thread that polls handles of the system until one is ready, and then wakes whoever sleeps.
class HandleBridge {
public:
    explicit HandleBridge(std::vector<platform::native_handle> handles)
        : handles_(std::move(handles)) {
        handles_.push_back(stop_.handle());
        thread_ = std::thread([this] {
            try {
                platform::poll_handles(handles_, Timeout::forever);
            } catch (OSError const&) {
                // One was closed meanwhile: whoever waits finds out when it looks.
            }
            ready_.notify_all();
        });
    }
    HandleBridge(HandleBridge const&) = delete;
    HandleBridge& operator=(HandleBridge const&) = delete;
    ~HandleBridge() {
        stop_.ring();
        thread_.join();
    }

    platform::ParkingWord park_word() { return ready_.park_word(); }

private:
    std::vector<platform::native_handle> handles_;
    platform::Doorbell stop_;
    heap::Event ready_;
    std::thread thread_;
};

}  // namespace multiprocessing::connection
