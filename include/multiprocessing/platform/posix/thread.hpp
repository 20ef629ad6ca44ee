// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/thread.hpp — gettid and the name that the kernel keeps.
// Layer 1 (platform). Implements platform/thread.hpp.
#pragma once

#include <multiprocessing/platform/posix/detail/procfs.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline bool is_main_thread() noexcept { return ::syscall(SYS_gettid) == ::getpid(); }

inline std::string thread_name() {
    char name[16] = {};
    if (::pthread_getname_np(::pthread_self(), name, sizeof name) != 0) return {};
    if (is_main_thread()) return name;
    detail::SmallFile<64> const file("/proc/self/comm");  // the main thread's
    std::string_view inherited = file.text();
    if (inherited.ends_with('\n')) inherited.remove_suffix(1);
    return name == inherited ? std::string() : std::string(name);
}

inline constexpr bool thread_end_comes_last = false;

namespace detail {

class ThreadEnd {
public:
    void add(void (*run)(std::uint64_t) noexcept, std::uint64_t value) {
        if (over_) return;
        if (first_.run == nullptr) first_ = {run, value};
        else more_.push_back({run, value});
    }
    ~ThreadEnd() {
        if (first_.run != nullptr) first_.run(first_.value);
        for (Call const& call : more_) call.run(call.value);
        over_ = true;  // what the exit of the process takes from now on ends with the process
    }

private:
    struct Call {
        void (*run)(std::uint64_t) noexcept = nullptr;
        std::uint64_t value = 0;
    };
    Call first_;  // not on the free store, which a forked child would touch for it alone
    std::vector<Call> more_;
    static inline thread_local constinit bool over_ = false;
};

}  // namespace detail

inline void at_thread_end(void (*run)(std::uint64_t) noexcept, std::uint64_t value) {
    thread_local detail::ThreadEnd end;
    end.add(run, value);
}

}  // namespace multiprocessing::platform::inline posix
