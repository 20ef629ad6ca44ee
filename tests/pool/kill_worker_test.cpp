// SPDX-License-Identifier: MIT
// tests/pool/kill_worker_test.cpp — a worker is killed at every instruction of a task: from taking
// it to telling of its result.
#include <multiprocessing/pool/worker.hpp>

#include <multiprocessing/pool/processes.hpp>

#include "heap/stepped.hpp"
#include "support/catch.hpp"

#include <optional>

namespace mp = multiprocessing;
namespace heap = mp::heap;
using namespace mp::pool;
using namespace test::stepper;

namespace {

int work() { return 25; }

heap::Statistics baseline;
std::optional<WorkerOrder> order;
std::optional<heap::Shared> warm, job;

heap::Shared post() {
    auto made = JobView::make(JobKind::call, 1);
    JobView::store(JobView{made.header()}.input(0),
                   mp::pool::detail::write_message(
                       [](mp::Writer& out) { mp::reduction::dump_task(out, work); }));
    auto announcement = make_announcement(made, 0);
    order->tasks.put(announcement, mp::Deadline());
    return made;
}

void set_up() {
    warm.reset();
    job.reset();
    order.reset();
    heap::sweep_dead();
    baseline = family::at_rest();
    order.emplace();
    order->tasks = heap::Ring::make({.redeliver = true});
    order->news = heap::Ring::make({.redeliver = true});
    order->desks = make_desks(2);
    order->tasks_per_child = 1;
    warm = post();
    job = post();
}

/// How often it is told that the chunk is done; of the other job nothing counts.
int count_news() {
    int told = 0;
    News news{News::look_again};
    while (order->news.try_get([&](heap::RingItem& item) {
        std::memcpy(&news, item.bytes().data(), sizeof news);
    }))
        told += news.kind == News::chunk_done && news.job == job->ref().bits;
    return told;
}

bool result_is_right(JobView view) {
    return mp::pool::detail::read_message(*JobView::message(view.result(0)), [](mp::Reader& in) {
        return in.read<Outcome>() == Outcome::value && mp::reduction::load_result<int>(in) == 25;
    });
}

/// What the pool's process does when it finds the worker dead.
void recover() {
    heap::sweep_dead();
    JobView const view{job->header()};
    auto& word = view.chunk(0);
    auto const seen = word.load();
    auto const phase = ChunkWord::phase(seen);
    auto told = count_news();
    expect(told == 0 || (told == 1 && phase == ChunkWord::done), "news of what has not happened");
    if (phase == ChunkWord::running || (phase == ChunkWord::done && told == 0)) {
        expect(heap::is_dead(ChunkWord::worker(seen)), "claimed by somebody else");
        expect(desk(order->desks, 0).job.load() == job->ref().bits &&
                   desk(order->desks, 0).chunk.load() == 0,
               "the desk does not tell what the dead worker had");
    }
    if (phase == ChunkWord::running) {
        word.store(ChunkWord::pack(ChunkWord::queued, 1));
        auto announcement = make_announcement(*job, 0);
        order->tasks.put(announcement, mp::Deadline());
    }
    if (phase != ChunkWord::done) {
        Worker{*order, 1}.run();  // hangs if the task was lost
        expect(count_news() == 1, "the second worker has not told");
    }
    expect(ChunkWord::phase(word.load()) == ChunkWord::done, "the task is not done");
    expect(result_is_right(view), "a wrong result");
    while (order->tasks.try_get([](heap::RingItem&) {})) {}  // of a chunk that is done
    warm.reset();
    job.reset();
    order.reset();
    family::expect_at_rest(baseline);
}

}  // namespace

TEST_CASE("Kill: a worker of a Pool takes a task, does it and tells", "[pool][kill]") {
    Scenario s;
    s.name = "worker of a pool";
    s.setup = set_up;
    s.warm_up = [] { Worker{*order, 0}.run(); };
    s.operation = [] { Worker{*order, 0}.run(); };
    s.check = recover;
    auto o = family::stepped();
    o.modes = {Mode::a_kill, Mode::c_stop_then_go_on};
    o.stride = 20;
    o.budget = std::chrono::seconds(10);
    verify(run(s, o));
}
