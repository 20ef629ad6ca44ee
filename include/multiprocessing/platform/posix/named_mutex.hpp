// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/named_mutex.hpp — a robust pthread mutex in shared memory.
// Layer 1 (platform). Implements platform/named_mutex.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <errno.h>
#include <pthread.h>
#include <time.h>

namespace multiprocessing::platform::inline posix {

class NamedMutex {
public:
    static constexpr std::size_t mutex_bytes = sizeof(pthread_mutex_t);

    static void prepare(std::byte* place) {
        pthread_mutexattr_t attributes;
        ::pthread_mutexattr_init(&attributes);
        ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
        int const error =
            ::pthread_mutex_init(reinterpret_cast<pthread_mutex_t*>(place), &attributes);
        ::pthread_mutexattr_destroy(&attributes);
        if (error != 0) throw_system_error(error, "pthread_mutex_init");
    }

    NamedMutex(std::byte* place, std::string const&) noexcept
        : mutex_(reinterpret_cast<pthread_mutex_t*>(place)) {}

    MutexTaken lock(std::uint64_t timeout_ns) {
        int error = ::pthread_mutex_trylock(mutex_);
        if (error == EBUSY && timeout_ns != 0) error = wait(timeout_ns);
        if (error == EOWNERDEAD) {
            ::pthread_mutex_consistent(mutex_);
            return MutexTaken::from_dead;
        }
        if (error == 0) return MutexTaken::yes;
        if (error == EBUSY || error == ETIMEDOUT) return MutexTaken::no;
        if (error == EDEADLK) throw RuntimeError("this thread has locked the segment already");
        throw_system_error(error, "pthread_mutex_lock");
    }

    void unlock() noexcept { ::pthread_mutex_unlock(mutex_); }

private:
    int wait(std::uint64_t timeout_ns) {
        if (timeout_ns == std::numeric_limits<std::uint64_t>::max())
            return ::pthread_mutex_lock(mutex_);
        timespec until{};
        ::clock_gettime(CLOCK_REALTIME, &until);  // what pthread_mutex_timedlock knows
        auto const ns = static_cast<std::uint64_t>(until.tv_nsec) + timeout_ns % 1'000'000'000;
        until.tv_sec += static_cast<time_t>(timeout_ns / 1'000'000'000 + ns / 1'000'000'000);
        until.tv_nsec = static_cast<long>(ns % 1'000'000'000);
        return ::pthread_mutex_timedlock(mutex_, &until);
    }

    pthread_mutex_t* mutex_;
};

}  // namespace multiprocessing::platform::inline posix
