// SPDX-License-Identifier: MIT
// tests/support/latch.hpp — as std::latch, whose waiters MinGW's library now and then never wakes.
#pragma once

#include <condition_variable>
#include <mutex>

namespace test {

class Latch {
public:
    explicit Latch(int count) : count_(count) {}

    void count_down() {
        std::lock_guard guard(mutex_);
        if (--count_ == 0) zero_.notify_all();
    }
    void wait() {
        std::unique_lock guard(mutex_);
        zero_.wait(guard, [this] { return count_ <= 0; });
    }
    void arrive_and_wait() {
        count_down();
        wait();
    }

private:
    std::mutex mutex_;
    std::condition_variable zero_;
    int count_;
};

}  // namespace test
