// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/background.hpp — pthread_create.
// Layer 1 (platform). Implements platform/background.hpp.
#pragma once

#include <multiprocessing/errors.hpp>

#include <cstddef>
#include <memory>

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

struct BackgroundThread {
    void (*run)(void*);
    void* argument;
};

inline void* run_background_thread(void* given) {
    auto const thread = *static_cast<BackgroundThread*>(given);
    delete static_cast<BackgroundThread*>(given);
    thread.run(thread.argument);
    return nullptr;
}

inline int create_detached(BackgroundThread* thread, std::size_t stack_bytes) {
    pthread_attr_t attributes;
    if (int const error = ::pthread_attr_init(&attributes); error != 0) return error;
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack_bytes != 0) ::pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t id;
    int const error = ::pthread_create(&id, &attributes, &run_background_thread, thread);
    ::pthread_attr_destroy(&attributes);
    return error;
}

}  // namespace detail

inline void start_background_thread(void (*run)(void*), void* argument) {
    std::unique_ptr<detail::BackgroundThread> thread(new detail::BackgroundThread{run, argument});
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread inherits it
    int error = detail::create_detached(thread.get(), std::size_t{256} << 10);
    if (error != 0) error = detail::create_detached(thread.get(), 0);  // much thread-local memory
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) throw RuntimeError(fmt::format("cannot start a thread: error {}", error));
    static_cast<void>(thread.release());
}

}  // namespace multiprocessing::platform::inline posix
