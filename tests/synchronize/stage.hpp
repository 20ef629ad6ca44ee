// SPDX-License-Identifier: MIT
// tests/synchronize/stage.hpp — lets processes of a test wait for each other's steps, with a
// deadline.
#pragma once

#include <multiprocessing/heap/event.hpp>
#include <multiprocessing/heap/tagged.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace test {

class Stage {
    struct Body {
        multiprocessing::heap::Word step;
        multiprocessing::heap::Event event;
    };

public:
    Stage() : body_(multiprocessing::heap::Tagged<Body>::make()) {}

    void reach(std::uint64_t step) const {
        body_->step.store(step);
        body_->event.notify_all();
    }
    std::uint64_t add(std::uint64_t steps = 1) const {
        auto const step = body_->step.fetch_add(steps) + steps;
        body_->event.notify_all();
        return step;
    }
    std::uint64_t now() const { return body_->step.load(); }
    void await(std::uint64_t step) const {
        multiprocessing::Deadline const deadline{
            multiprocessing::Timeout(std::chrono::seconds(20))};
        while (now() < step) {
            if (deadline.expired()) throw std::runtime_error("a step of the test was not reached");
            auto const armed = body_->event.arm();
            if (now() < step) body_->event.wait(armed, deadline);
        }
    }

private:
    multiprocessing::heap::Tagged<Body> body_;
};

}  // namespace test
