// SPDX-License-Identifier: MIT
// tests/support/stepper_runner.cpp — the trials: to stop point i, what the mode says, check.
#include "support/stepper_runner.hpp"

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace test::stepper {
namespace {

Control* adopted_control = nullptr;
Trial current_trial;

// The k-th entry: how often the instruction of stop point k has been about to run up to there,
// which is how often a breakpoint on it is hit.
std::vector<std::uint32_t> count_occurrences(std::span<StopPoint const> trace) {
    std::vector<std::uint32_t> counts(trace.size());
    std::unordered_map<std::uint64_t, std::uint32_t> seen;
    for (std::size_t k = 0; k < trace.size(); ++k) {
        counts[k] = seen[trace[k].rip()] += trace[k].at() == At::instruction ? 1U : 0U;
    }
    return counts;
}

}  // namespace

void adopt(Control& control) noexcept { adopted_control = &control; }

void keep_alive() noexcept {
    if (adopted_control != nullptr) {
        adopted_control->progress.fetch_add(1);
    }
}

Trial const& trial() noexcept { return current_trial; }

std::int64_t now_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

Plan::Plan(std::size_t length, std::size_t first, std::size_t last, std::size_t stride,
           std::uint64_t seed)
    : offset_(first), stride_(std::max<std::size_t>(stride, 1)) {
    std::size_t const end = last < length ? last + 1 : length;
    offset_ += stride_ > 1 ? seed % stride_ : 0;
    offset_ = end > first && offset_ >= end ? first : offset_;
    size_ = end > offset_ ? (end - offset_ + stride_ - 1) / stride_ : 0;
    golden_ =
        std::max<std::size_t>(static_cast<std::size_t>(static_cast<double>(size_) * 0.618), 1);
    while (size_ > 1 && std::gcd(golden_, size_) != 1) {
        ++golden_;
    }
}

Runner::Runner(Scenario const& scenario, Options const& options, Mode mode, std::uint64_t seed,
               std::int64_t deadline_ns, Control& control, std::array<Trace, 2> traces)
    : scenario_(scenario),
      options_(options),
      mode_(mode),
      seed_(seed),
      deadline_ns_(deadline_ns),
      control_(control),
      traces_(traces) {}

void Runner::run() {
    if (*traces_[0].length == 0) {
        std::int64_t const begin = now_ns();
        record();
        deadline_ns_ += now_ns() - begin;  // the budget is for trials
    }
    occurrences_[0] = count_occurrences(traces_[0].span());
    mode_ == Mode::d_pair ? run_pairs() : run_singles();
}

void Runner::run_singles() {
    Plan const plan(*traces_[0].length, options_.first, options_.last, options_.stride, seed_);
    std::vector<std::size_t> const further =
        mode_ == Mode::e_stop_go_on_kill ? options_.further : std::vector<std::size_t>{0};
    control_.planned = plan.size() * further.size();
    while (control_.cursor < control_.planned && now_ns() < deadline_ns_) {
        std::size_t const k = control_.cursor.fetch_add(1);
        single(plan[k / further.size()], further[k % further.size()]);
    }
}

void Runner::run_pairs() {
    if (control_.pair_stride == 0) {
        control_.pair_stride = options_.stride;  // also if the recording fails
        record_second(*traces_[0].length / 2);
        auto const pairs =
            static_cast<double>(*traces_[0].length) * static_cast<double>(*traces_[1].length);
        double const most = static_cast<double>(std::max<std::size_t>(options_.max_pairs, 1));
        control_.pair_stride =
            std::max(options_.stride, static_cast<std::size_t>(std::ceil(std::sqrt(pairs / most))));
    }
    std::size_t const stride = control_.pair_stride;
    Plan const plan(*traces_[0].length, options_.first, options_.last, stride, seed_);
    while (control_.cursor < plan.size() && now_ns() < deadline_ns_) {
        std::size_t const index = plan[control_.cursor];
        if (control_.second_cursor == 0) {
            control_.second_cursor = 1;
            *traces_[1].length = 0;
            record_second(index);
        }
        occurrences_[1] = count_occurrences(traces_[1].span());
        Plan const seconds(*traces_[1].length, 0, SIZE_MAX, stride, seed_ / stride + index);
        std::size_t const begun = control_.second_cursor - 1;
        control_.planned = control_.trials + seconds.size() - std::min(begun, seconds.size()) +
                           (plan.size() - control_.cursor - 1) * seconds.size();
        while (control_.second_cursor - 1 < seconds.size() && now_ns() < deadline_ns_) {
            pair(index, seconds[control_.second_cursor.fetch_add(1) - 1]);
        }
        if (control_.second_cursor - 1 >= seconds.size()) {
            control_.second_cursor = 0;
            control_.cursor.fetch_add(1);
        }
    }
}

void Runner::record() {
    begin_trial(0, 0);
    current_trial.undisturbed = true;
    auto const victim = fork(false);
    step_to_end(*victim, false);
    enter(Phase::going_on);
    victim->go_on();
    call(Phase::check, scenario_.check);
}

// The second victim's way depends on where the first one stopped.
void Runner::record_second(std::size_t index) {
    for (bool const jumps : {true, false}) {
        begin_trial(index, SIZE_MAX);
        auto const second = fork(true);
        auto const first = fork(false);
        if (!travel(*first, false, index, jumps)) {
            continue;
        }
        give_up_first(*first, First::dies);
        step_to_end(*second, true);
        enter(Phase::going_on);
        second->go_on();
        give_up_first(*first, First::stays_stopped);
        return call(Phase::check, scenario_.check);
    }
}

void Runner::single(std::size_t index, std::size_t further) {
    for (bool const jumps : {true, false}) {
        begin_trial(index, further);
        auto const victim = fork(false);
        if (!travel(*victim, false, index, jumps)) {
            continue;  // once more, slowly
        }
        if (mode_ != Mode::a_kill) {
            call(Phase::survive, scenario_.survive);
        }
        if (mode_ == Mode::c_stop_then_go_on) {
            enter(Phase::going_on);
            victim->go_on();
            current_trial.finished = true;
        } else {
            enter(Phase::stepping);
            for (std::size_t k = 0; k < further && !victim->finished(); ++k) {
                victim->advance();
            }
            arrived(*victim, false);
            victim->kill(!options_.leave_zombie);
        }
        call(Phase::check, scenario_.check);
        control_.trials.fetch_add(1);
        return;
    }
}

void Runner::pair(std::size_t index, std::size_t second_index) {
    for (bool const jumps : {true, false}) {
        begin_trial(index, second_index);
        auto const second = fork(true);
        auto const first = fork(false);
        if (!travel(*first, false, index, jumps)) {
            continue;
        }
        give_up_first(*first, First::dies);
        if (!travel(*second, true, second_index, jumps)) {
            continue;
        }
        second->kill(!options_.leave_zombie);
        give_up_first(*first, First::stays_stopped);
        call(Phase::check, scenario_.check);
        control_.trials.fetch_add(1);
        return;
    }
}

// Called at each place where the fate of the first victim may be due.
void Runner::give_up_first(Tracee& victim, First due) {
    if (due == First::dies && options_.first_victim == First::dies) {
        victim.kill(!options_.leave_zombie);
    } else if (due != First::dies && options_.first_victim == First::stays_stopped) {
        victim.kill(!options_.leave_zombie);
    } else if (due != First::dies && options_.first_victim == First::goes_on_afterwards) {
        enter(Phase::going_on);
        victim.go_on();
        current_trial.finished = true;
    }
}

void Runner::enter(Phase phase) noexcept {
    control_.phase = phase;
    keep_alive();
}

void Runner::call(Phase phase, std::function<void()> const& callback) {
    enter(phase);
    if (callback) {
        callback();
    }
}

void Runner::begin_trial(std::size_t index, std::size_t second) {
    current_trial = {.mode = mode_, .index = index, .second = second};
    control_.index = index;
    control_.second = second;
    control_.rip = 0;
    control_.in_second = false;
    control_.victim = 0;
    call(Phase::setup, scenario_.setup);
}

std::unique_ptr<Tracee> Runner::fork(bool second) {
    enter(Phase::forking);
    Part const part{&options_.hooks.fork_victim,
                    second ? &scenario_.second_warm_up : &scenario_.warm_up,
                    second ? &scenario_.second_operation : &scenario_.operation,
                    &options_.hooks.leave_victim, control_.victim_text.data()};
    std::function<void()> partner;
    if (scenario_.partner && !second) {
        partner = [this] {
            current_trial.partner_ran = true;
            scenario_.partner();
        };
    }
    return std::make_unique<Tracee>(part, std::move(partner));
}

void Runner::arrived(Tracee const& victim, bool second) {
    control_.victim = victim.pid();
    control_.rip = victim.here().rip();
    control_.in_second = second;
    (second ? current_trial.second_finished : current_trial.finished) = victim.finished();
}

void Runner::step_to_end(Tracee& victim, bool second) {
    enter(Phase::stepping);
    arrived(victim, second);
    Trace const& trace = traces_[second ? 1 : 0];
    std::size_t length = 0;
    trace.points[length++] = victim.here();
    while (!victim.finished()) {
        if (length > options_.max_steps) {
            throw Trouble("the operation takes more than Options::max_steps");
        }
        victim.advance();
        control_.rip = victim.here().rip();
        trace.points[length++] = victim.here();
        keep_alive();
    }
    *trace.length = length;
    arrived(victim, second);
}

// At full speed to a stop point shortly before `index` that a breakpoint reaches in few hits, then
// by single steps. False: the victim took another way and is at its end; to be tried again without
// jumps.
bool Runner::travel(Tracee& victim, bool second, std::size_t index, bool jumps) {
    enter(Phase::stepping);
    arrived(victim, second);
    auto const points = traces_[second ? 1 : 0].span();
    auto const& occurrences = occurrences_[second ? 1 : 0];
    std::size_t start = 0;
    std::size_t best = index;
    jumps = jumps && (control_.missed_jumps < 8 || control_.missed_jumps < control_.trials / 2);
    for (std::size_t k = index; jumps && k > 0 && index - k < std::min<std::size_t>(best, 512);
         --k) {
        bool const plain = points[k].at() == At::instruction &&
                           (k + 1 == points.size() || points[k + 1].at() != At::repeating);
        std::size_t const cost = occurrences[k] + (index - k);
        if (plain && cost < best) {
            best = cost;
            start = k;
        }
    }
    if (start > 0 && !victim.jump(points[start].rip(), occurrences[start])) {
        if (victim.finished()) {
            control_.missed_jumps.fetch_add(1);
            return false;
        }
        start = 0;  // no hardware breakpoints here
    }
    for (std::size_t k = start; k < index && !victim.finished(); ++k) {
        victim.advance();
        if (k % 64 == 0) {
            keep_alive();
        }
    }
    if (!(victim.here() == points[index])) {
        control_.diverged.fetch_add(1);
    }
    arrived(victim, second);
    return true;
}

}  // namespace test::stepper

#endif
