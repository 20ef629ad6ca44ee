// SPDX-License-Identifier: MIT
// multiprocessing/pool/book.hpp — what the workers of a pool have done, for people to look at.
// Layer 6 (pool). Mirrors no Python file.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pool/job.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace multiprocessing::pool {

/// Of one worker, also of one that has ended. A task is one chunk.
struct WorkerStats {
    std::int64_t pid = 0;
    std::uint64_t tasks = 0;
    std::chrono::nanoseconds busy{0};     // in tasks
    std::chrono::nanoseconds waiting{0};  // between them, from its start to its last one
    std::uint64_t bytes = 0;              // of arguments and results
};

/// A task that took long.
struct SlowTask {
    std::chrono::nanoseconds took{0};
    std::int64_t pid = 0;
    std::uint64_t chunk = 0;  // of its call
};

/// Python: none.
struct Stats {
    std::vector<WorkerStats> workers;  // in the order of their starts, the last thousand or so
    std::vector<SlowTask> slowest;     // at most five, the slowest first

    /// A line for each worker.
    [[nodiscard]] std::string repr() const {
        auto const ms = [](std::chrono::nanoseconds t) {
            return std::chrono::duration<double, std::milli>(t).count();
        };
        auto text = fmt::format("{:>8} {:>8} {:>12} {:>12} {:>12}", "worker", "tasks", "busy ms",
                                "waiting ms", "bytes");
        for (auto const& w : workers)
            text += fmt::format("\n{:>8} {:>8} {:>12.3f} {:>12.3f} {:>12}", w.pid, w.tasks,
                                ms(w.busy), ms(w.waiting), w.bytes);
        for (auto const& task : slowest)
            text += fmt::format("\nslow: {:.3f} ms, chunk {}, worker {}", ms(task.took),
                                task.chunk, task.pid);
        return text;
    }
};

/// Sharing: the supervisor writes, any thread reads.
class Book {
public:
    /// A worker is ready.
    void open(News const& news) {
        std::lock_guard guard(mutex_);
        if (entries_.size() == most_workers) forget_half();
        places_[news.worker] = entries_.size();
        entries_.push_back({{.pid = static_cast<std::int64_t>(news.job)}, news.began});
    }

    /// A task has ended.
    void add(News const& news) {
        std::lock_guard guard(mutex_);
        auto const place = places_.find(news.worker);
        if (place == places_.end()) return;
        auto& entry = entries_[place->second];
        auto const took = std::chrono::nanoseconds(news.ended - news.began);
        ++entry.stats.tasks;
        entry.stats.busy += took;
        entry.stats.waiting =
            std::chrono::nanoseconds(news.ended - entry.began) - entry.stats.busy;
        entry.stats.bytes += news.bytes;
        note_slow({took, entry.stats.pid, news.chunk});
        if (trace_) write(entry.stats.pid, news);
    }

    Stats stats() const {
        std::lock_guard guard(mutex_);
        Stats stats{{}, slowest_};
        for (auto const& entry : entries_) stats.workers.push_back(entry.stats);
        return stats;
    }

    /// Errors: OSError.
    void trace(std::string const& path) {
        std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "w"));
        if (!file)
            throw OSError({errno, std::generic_category()},
                          fmt::format("fopen failed on {}", path));
        std::fputs("[", file.get());
        std::lock_guard guard(mutex_);
        finish();
        trace_ = std::move(file);
        is_first_ = true;
    }
    void end_trace() {
        std::lock_guard guard(mutex_);
        finish();
    }

private:
    struct Entry {
        WorkerStats stats;
        std::uint64_t began;
    };
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    static constexpr std::size_t most_workers = 2048;

    void forget_half() {
        auto const gone = entries_.size() / 2;
        entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(gone));
        std::erase_if(places_, [gone](auto const& place) { return place.second < gone; });
        for (auto& place : places_) place.second -= gone;
    }

    void note_slow(SlowTask task) {
        constexpr std::size_t most = 5;
        if (slowest_.size() == most && task.took <= slowest_.back().took) return;
        auto const at =
            std::find_if(slowest_.begin(), slowest_.end(),
                         [&](SlowTask const& other) { return other.took < task.took; });
        slowest_.insert(at, task);
        if (slowest_.size() > most) slowest_.pop_back();
    }

    void write(std::int64_t pid, News const& news) {
        auto const us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
        auto const line = fmt::format(
            "{}\n{{\"name\": \"task\", \"ph\": \"X\", \"ts\": {:.3f}, \"dur\": {:.3f}, "
            "\"pid\": {}, \"tid\": {}, \"args\": {{\"chunk\": {}, \"bytes\": {}}}}}",
            is_first_ ? "" : ",", us(news.began), us(news.ended - news.began), pid, pid, news.chunk,
            news.bytes);
        is_first_ = false;
        std::fwrite(line.data(), 1, line.size(), trace_.get());
    }
    void finish() {
        if (!trace_) return;
        std::fputs("\n]\n", trace_.get());
        trace_.reset();
    }

    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::unordered_map<std::uint64_t, std::size_t> places_;  // by SlotStamp
    std::vector<SlowTask> slowest_;
    std::unique_ptr<std::FILE, Close> trace_;
    bool is_first_ = true;
};

}  // namespace multiprocessing::pool

template <>
struct fmt::formatter<multiprocessing::pool::Stats> : multiprocessing::detail::ReprFormatter {};
