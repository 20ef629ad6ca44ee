// SPDX-License-Identifier: MIT
// multiprocessing/pool/worker.hpp — what a worker process does until it is told to stop.
// Layer 6 (pool). Mirrors worker() of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/process/system_exit.hpp>
#include <multiprocessing/reduction/exception.hpp>
#include <multiprocessing/reduction/map.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <cstring>
#include <optional>

namespace multiprocessing::pool {

/// What a worker is given at its start.
struct WorkerOrder {
    heap::Ring tasks;
    heap::Ring news;
    heap::Shared desks;
    std::uint64_t tasks_per_child = 0;    // 0: no limit
    bool outlives_exit = false;           // SystemExit in a task is an exception like others
    std::vector<std::byte> initializer;   // a pickled task without result; may be empty
    std::vector<heap::Shared> handles;    // that it names
};

/// First byte of a result, and of the news that an initializer failed.
enum class Outcome : std::uint8_t { value, exception };

namespace detail {

/// Writes an outcome by `write(Writer&)`; when that throws, the exception becomes the outcome. But
/// SystemExit ends the worker with its code, as in Python, and so the task; unless it outlives it.
template <class Write>
heap::Hand write_outcome(Write write, bool outlives_exit = true) {
    std::exception_ptr error;
    try {
        HeapCourier courier;
        Writer out{&courier};
        out.write(Outcome::value);
        write(out);
        return to_message(out, courier);
    } catch (SystemExit const&) {
        if (!outlives_exit) throw;
        error = std::current_exception();
    } catch (...) {
        error = std::current_exception();
    }
    Writer out;
    out.write(Outcome::exception);
    reduction::dump_exception(out, error);
    return to_message(out.bytes());
}

/// Reads a message of this tree by `read(Reader&)`.
template <class Read>
decltype(auto) read_message(heap::Header& message, Read read) {
    MessageReader in{message};
    return read(in.reader());
}

}  // namespace detail

class Worker {
public:
    Worker(WorkerOrder order, std::uint32_t desk_index)
        : order_(std::move(order)), desk_(desk(order_.desks, desk_index)) {}

    void run() {
        if (!initialize()) return;
        desk_.ready.store(me_, std::memory_order_release);
        tell(order_.news, {.kind = News::worker_ready,
                           .job = static_cast<std::uint64_t>(platform::process_id()),
                           .worker = me_,
                           .began = platform::monotonic_ns()});
        for (std::uint64_t done = 0;
             order_.tasks_per_child == 0 || done < order_.tasks_per_child;) {
            bool stop = false;
            order_.tasks.get([&](heap::RingItem& item) { stop = !take(item); }, Deadline{});
            if (stop) return;
            if (!announcement_) continue;  // a chunk that somebody else has had
            work();
            ++done;
        }
    }

private:
    /// In the visit of the ring, so that the announcement is delivered again if we die before the
    /// chunk bears our name. False: the pool is closing.
    bool take(heap::RingItem& item) {
        if (!item.is_message()) return false;
        auto ledger = heap::ledger();
        auto* const message = ledger.header(item.ref());
        chunk_ = *reinterpret_cast<std::uint64_t*>(message->body());
        job_ = ledger.header(heap::Ref{message->link(0).load(std::memory_order_acquire)});
        if (job_ == nullptr) return true;
        desk_.chunk.store(chunk_, std::memory_order_relaxed);
        desk_.job.store(message->link(0).load(std::memory_order_relaxed),
                        std::memory_order_release);
        auto& word = JobView{*job_}.chunk(chunk_);
        auto seen = word.load(std::memory_order_acquire);
        if (ChunkWord::phase(seen) == ChunkWord::queued &&
            word.compare_exchange_strong(
                seen, ChunkWord::pack(ChunkWord::running, ChunkWord::lost(seen),
                                      heap::my_stamp())))
            announcement_ = item.take();
        return true;
    }

    void work() {
        JobView const job{*job_};
        auto const began = platform::monotonic_ns();
        desk_.began.store(began, std::memory_order_release);
        auto result = detail::write_outcome([&](Writer& out) {
            if (job.body().kind == JobKind::call) call(job, out);
            else map(job, out);
        }, order_.outlives_exit);
        auto const announcement = std::move(announcement_);
        auto const bytes =
            JobView::message(job.input(chunk_))->size + result.header().size;
        JobView::drop(job.result(chunk_));  // of a worker that was lost between here and `done`
        JobView::store(job.result(chunk_), std::move(result));
        auto& word = job.chunk(chunk_);
        auto const lost = ChunkWord::lost(word.load(std::memory_order_relaxed));
        word.store(ChunkWord::pack(ChunkWord::done, lost, heap::my_stamp()));
        tell(order_.news, {News::chunk_done, announcement.header().link(0).load(), chunk_, me_,
                           began, platform::monotonic_ns(), bytes});
        desk_.began.store(0, std::memory_order_release);
    }

    void call(JobView job, Writer& out) {
        detail::read_message(*JobView::message(job.input(chunk_)), [&](Reader& in) {
            reduction::load_task(in).run(in, &out);
        });
    }

    void map(JobView job, Writer& out) {
        auto& text = *FunctionView::text(job.function());
        auto const name = job.function().load(std::memory_order_relaxed);
        if (!function_ || function_name_ != name) {
            function_.reset();
            detail::read_message(
                text, [&](Reader& in) { function_.emplace(reduction::load_map(in)); });
            function_name_ = name;
        }
        auto outcome = detail::read_message(
            *JobView::message(job.input(chunk_)),
            [&](Reader& in) { return function_->run(in, out); });
        if (outcome.error) std::rethrow_exception(outcome.error);
    }

    /// False when it threw; the pool then has the exception.
    bool initialize() {
        if (order_.initializer.empty()) return true;
        try {
            struct Source final : HandleSource {
                std::vector<heap::Shared>& handles;
                explicit Source(std::vector<heap::Shared>& h) : handles(h) {}
                std::uint32_t count() const override {
                    return static_cast<std::uint32_t>(handles.size());
                }
                void get(std::uint32_t place, heap::Shared& object) override {
                    object = handles[place];
                }
            } source{order_.handles};
            Reader in{std::span<std::byte const>{order_.initializer}, Origin::tree, &source};
            reduction::load_task(in).run(in);
            return true;
        } catch (...) {
            auto const error = std::current_exception();
            auto message = detail::write_outcome(
                [&](Writer&) { std::rethrow_exception(error); });
            order_.news.put(message, Deadline{});
            return false;
        }
    }

    WorkerOrder order_;
    Desk& desk_;
    std::uint64_t me_ = heap::my_stamp().bits();
    heap::Hand announcement_;
    heap::Header* job_ = nullptr;  // kept alive by the announcement
    std::uint64_t chunk_ = 0;
    std::optional<reduction::MapFunction> function_;
    std::uint64_t function_name_ = 0;
};

/// The target of a worker process.
inline void run_worker(WorkerOrder order, std::uint32_t desk) {
    Worker{std::move(order), desk}.run();
}

}  // namespace multiprocessing::pool

namespace multiprocessing {

template <>
struct pickle<pool::WorkerOrder> {
    static void dump(Writer& out, pool::WorkerOrder const& order) {
        out.handle(order.tasks.shared());
        out.handle(order.news.shared());
        out.handle(order.desks);
        out.write(order.tasks_per_child);
        out.write(order.outlives_exit);
        out.write(order.initializer);
        out.write(std::uint64_t{order.handles.size()});
        for (auto const& handle : order.handles) out.handle(handle);
    }
    static pool::WorkerOrder load(Reader& in) {
        pool::WorkerOrder order;
        order.tasks = heap::Ring{in.handle()};
        order.news = heap::Ring{in.handle()};
        order.desks = in.handle();
        order.tasks_per_child = in.read<std::uint64_t>();
        order.outlives_exit = in.read<bool>();
        order.initializer = in.read<std::vector<std::byte>>();
        for (auto n = in.read<std::uint64_t>(); n > 0; --n) order.handles.push_back(in.handle());
        return order;
    }
};

}  // namespace multiprocessing
