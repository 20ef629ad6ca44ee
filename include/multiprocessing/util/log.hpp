// SPDX-License-Identifier: MIT
// multiprocessing/util/log.hpp — the logger of the library.
// Layer 2 (util). Mirrors the logging part of Lib/multiprocessing/util.py.
#pragma once

#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/util/anchored.hpp>

#include <atomic>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

// A program may be built with -DDEBUG, and <windows.h> defines ERROR. Where that hides a name, the
// one in small letters is the same.
#pragma push_macro("DEBUG")
#pragma push_macro("INFO")
#pragma push_macro("WARNING")
#pragma push_macro("ERROR")
#pragma push_macro("CRITICAL")
#undef DEBUG
#undef INFO
#undef WARNING
#undef ERROR
#undef CRITICAL

namespace multiprocessing {

/// Levels of messages: a logger passes on what is at its level or above.
/// Python: `logging.DEBUG` ..., `multiprocessing.SUBDEBUG`, `multiprocessing.SUBWARNING`.
namespace logging {
inline constexpr int NOTSET = 0, notset = 0;
inline constexpr int SUBDEBUG = 5, subdebug = 5;
inline constexpr int DEBUG = 10, debug = 10;
inline constexpr int INFO = 20, info = 20;
inline constexpr int SUBWARNING = 25, subwarning = 25;
inline constexpr int WARNING = 30, warning = 30;
inline constexpr int ERROR = 40, error = 40;
inline constexpr int CRITICAL = 50, critical = 50;

/// Python: `logging.getLevelName`.
inline std::string level_name(int level) {
    switch (level) {
    case notset: return "NOTSET";
    case debug: return "DEBUG";
    case info: return "INFO";
    case warning: return "WARNING";
    case error: return "ERROR";
    case critical: return "CRITICAL";
    default: return fmt::format("Level {}", level);
    }
}

/// Without values the text itself, else a format string for them.
template <class... A>
using Message =
    std::conditional_t<sizeof...(A) == 0, std::string_view, fmt::format_string<A...>>;
}  // namespace logging

inline constexpr int SUBDEBUG = logging::subdebug;
inline constexpr int SUBWARNING = logging::subwarning;

#pragma pop_macro("CRITICAL")
#pragma pop_macro("ERROR")
#pragma pop_macro("WARNING")
#pragma pop_macro("INFO")
#pragma pop_macro("DEBUG")

/// Passes messages to its handlers, as lines `[LEVEL/processName] message`.
///
/// A message with values is a format string of fmt. Children start with the level of their parent;
/// those that are spawned have its handlers for stderr only.
/// Sharing: any thread.
/// Python: the `logging.Logger` named "multiprocessing".
class Logger {
public:
    /// Gets a line without its end.
    using Handler = std::function<void(std::string_view line)>;

    /// Python: `Logger.level`.
    [[nodiscard]] int level() const noexcept { return level_.load(std::memory_order_relaxed); }
    /// Python: `Logger.setLevel`.
    void set_level(int level) noexcept { level_.store(level, std::memory_order_relaxed); }
    /// Python: `Logger.getEffectiveLevel`: without a level of its own, the root logger's.
    [[nodiscard]] int effective_level() const noexcept {
        auto const own = level();
        return own != logging::notset ? own : logging::warning;
    }
    /// Python: `Logger.isEnabledFor`.
    [[nodiscard]] bool is_enabled_for(int level) const noexcept {
        return level >= effective_level();
    }

    /// Python: `Logger.addHandler`.
    void add_handler(Handler handler) {
        std::lock_guard guard(mutex_);
        handlers_.push_back(std::move(handler));
    }
    /// Python: `Logger.handlers.clear()`.
    void clear_handlers() {
        std::lock_guard guard(mutex_);
        handlers_.clear();
        to_stderr_ = 0;
    }

    /// Python: `Logger.log`.
    template <class... A>
    void log(int level, logging::Message<A...> message, A&&... values) {
        if (!is_enabled_for(level)) return;
        if constexpr (sizeof...(A) == 0)
            emit(level, message);
        else
            emit(level, fmt::format(message, std::forward<A>(values)...));
    }
    // Python: `Logger.debug` and so on.
    template <class... A>
    void debug(logging::Message<A...> message, A&&... values) {
        log(logging::debug, message, std::forward<A>(values)...);
    }
    template <class... A>
    void info(logging::Message<A...> message, A&&... values) {
        log(logging::info, message, std::forward<A>(values)...);
    }
    template <class... A>
    void warning(logging::Message<A...> message, A&&... values) {
        log(logging::warning, message, std::forward<A>(values)...);
    }
    template <class... A>
    void error(logging::Message<A...> message, A&&... values) {
        log(logging::error, message, std::forward<A>(values)...);
    }
    template <class... A>
    void critical(logging::Message<A...> message, A&&... values) {
        log(logging::critical, message, std::forward<A>(values)...);
    }

private:
    friend Logger& log_to_stderr(std::optional<int> level);
    friend struct LogState;

    void add_stderr(int times) {
        std::lock_guard guard(mutex_);
        to_stderr_ += times;
    }

    void emit(int level, std::string_view message) {
        auto const& slot = heap::State::instance().my_slot();
        auto line =
            fmt::format("[{}/{}] {}", logging::level_name(level), heap::slots::name(slot), message);
        std::vector<Handler> handlers;
        int to_stderr = 0;
        {
            std::lock_guard guard(mutex_);
            handlers = handlers_;
            to_stderr = to_stderr_;
        }
        for (auto const& handler : handlers) handler(line);
        line += '\n';
        for (; to_stderr > 0; --to_stderr) std::fwrite(line.data(), 1, line.size(), stderr);
    }

    std::atomic<int> level_{logging::notset};
    std::mutex mutex_;  // of what follows; held across a fork
    std::vector<Handler> handlers_;
    int to_stderr_ = 0;  // how often each line goes there
};

/// The logger and whether anybody has asked for it: before, the library logs nothing.
struct LogState {
    std::atomic<bool> exists{false};
    Logger logger;

    static LogState& instance() { return util::anchored<util::Anchored::log, LogState>(); }
    std::mutex& mutex() { return logger.mutex_; }

    /// What a child that runs the program anew starts with.
    [[nodiscard]] int to_stderr() {
        std::lock_guard guard(logger.mutex_);
        return logger.to_stderr_;
    }
    void inherit(int level, int to_stderr) {
        exists = true;
        logger.set_level(level);
        logger.add_stderr(to_stderr);
    }
};

/// The logger of the library. It has no handler at first, so nothing is seen.
/// Python: `multiprocessing.get_logger()`.
inline Logger& get_logger() {
    auto& state = LogState::instance();
    state.exists.store(true, std::memory_order_relaxed);
    return state.logger;
}

/// The logger, which from now on writes to stderr (once more, if it did already).
/// Python: `multiprocessing.log_to_stderr(level=None)`.
inline Logger& log_to_stderr(std::optional<int> level = std::nullopt) {
    auto& logger = get_logger();
    logger.add_stderr(1);
    if (level) logger.set_level(*level);
    return logger;
}

namespace util {

/// A message of the library itself: only if somebody asked for the logger.
/// Python: `multiprocessing.util.debug`, `info` ...
template <class... A>
void log(int level, logging::Message<A...> message, A&&... values) {
    auto& state = LogState::instance();
    if (state.exists.load(std::memory_order_relaxed))
        state.logger.log(level, message, std::forward<A>(values)...);
}
template <class... A>
void sub_debug(logging::Message<A...> message, A&&... values) {
    log(logging::subdebug, message, std::forward<A>(values)...);
}
template <class... A>
void debug(logging::Message<A...> message, A&&... values) {
    log(logging::debug, message, std::forward<A>(values)...);
}
template <class... A>
void info(logging::Message<A...> message, A&&... values) {
    log(logging::info, message, std::forward<A>(values)...);
}
template <class... A>
void sub_warning(logging::Message<A...> message, A&&... values) {
    log(logging::subwarning, message, std::forward<A>(values)...);
}
template <class... A>
void warning(logging::Message<A...> message, A&&... values) {
    log(logging::warning, message, std::forward<A>(values)...);
}

}  // namespace util
}  // namespace multiprocessing
