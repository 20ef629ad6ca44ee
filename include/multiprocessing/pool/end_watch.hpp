// SPDX-License-Identifier: MIT
// multiprocessing/pool/end_watch.hpp — a thread that tells a pool when one of its workers ends.
// Layer 6 (pool). Mirrors the sentinels in _handle_workers of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/timeout.hpp>

#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace multiprocessing::pool {

/// Sleeps on the sentinels of all workers; puts a piece of news when one is ready.
class EndWatch {
public:
    explicit EndWatch(heap::Ring news) : news_(std::move(news)) {
        thread_ = std::thread([this] { run(); });
    }
    ~EndWatch() {
        {
            std::lock_guard guard(mutex_);
            stopped_ = true;
        }
        doorbell_.ring();
        thread_.join();
    }

    void add(std::shared_ptr<platform::Handle> sentinel) {
        {
            std::lock_guard guard(mutex_);
            sentinels_.push_back(std::move(sentinel));
        }
        doorbell_.ring();
    }

private:
    void run() {
        for (;;) {
            std::vector<std::shared_ptr<platform::Handle>> watched;
            std::vector<platform::native_handle> handles{doorbell_.handle()};
            {
                std::lock_guard guard(mutex_);
                if (stopped_) return;
                watched = sentinels_;
            }
            for (auto const& sentinel : watched) handles.push_back(sentinel->get());
            bool ended = false;
            for (auto const index : platform::poll_handles(handles, Timeout::forever)) {
                if (index == 0) {
                    doorbell_.drain();
                } else {
                    ended = true;
                    std::lock_guard guard(mutex_);
                    std::erase(sentinels_, watched[index - 1]);
                }
            }
            if (!ended) continue;
            try {
                tell(news_, {News::worker_ended});
            } catch (MemoryError const&) {
                // The supervisor looks by itself, a little later.
            }
        }
    }

    heap::Ring news_;
    platform::Doorbell doorbell_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<platform::Handle>> sentinels_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace multiprocessing::pool
