// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/handle.hpp — file descriptors.
// Layer 1 (platform). Implements platform/handle.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>

#include <cstdint>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

using native_handle = int;

inline constexpr native_handle invalid_handle = -1;

class Handle {
public:
    Handle() noexcept = default;
    explicit Handle(native_handle handle) noexcept : handle_(handle) {}
    Handle(Handle&& other) noexcept : handle_(other.release()) {}
    Handle& operator=(Handle&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~Handle() { reset(); }

    [[nodiscard]] native_handle get() const noexcept { return handle_; }
    explicit operator bool() const noexcept { return handle_ != invalid_handle; }

    [[nodiscard]] native_handle release() noexcept {
        return std::exchange(handle_, invalid_handle);
    }

    void reset(native_handle handle = invalid_handle) noexcept {
        native_handle const old = std::exchange(handle_, handle);
        if (old != invalid_handle && old != handle) {
            int const saved = errno;  // a destructor must not hide the error that is being reported
            ::close(old);             // not again on EINTR: Linux has closed it by then
            if (errno != saved) errno = saved;
        }
    }

private:
    native_handle handle_ = invalid_handle;
};

inline Handle duplicate(native_handle handle) {
    Handle copy(::fcntl(handle, F_DUPFD_CLOEXEC, 3));
    if (!copy) {
        throw_last_error("fcntl(F_DUPFD_CLOEXEC)");
    }
    return copy;
}

inline std::uint64_t number_of_handle(native_handle handle) noexcept {
    return static_cast<std::uint64_t>(handle);
}
inline native_handle handle_of_number(std::uint64_t number) noexcept {
    return static_cast<native_handle>(number);
}

inline void set_inheritable(native_handle handle, bool inheritable) {
    int const flags = ::fcntl(handle, F_GETFD);
    if (flags < 0) {
        throw_last_error("fcntl(F_GETFD)");
    }
    if (::fcntl(handle, F_SETFD, inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC) < 0) {
        throw_last_error("fcntl(F_SETFD)");
    }
}

namespace detail {

// A function of the C library that forked children call and their parents do not: bound when the
// program is loaded, else each child would have to look its name up for itself.
template <auto Function>
inline constinit auto* const volatile bound = Function;

// Owns what a system call returned. A descriptor among the standard streams is moved away, else a
// program started with a closed stdout would print into our arena. An error stays in errno.
inline Handle own_descriptor(int descriptor) noexcept {
    Handle handle(descriptor);
    if (handle && descriptor <= STDERR_FILENO) {
        handle.reset(::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    }
    return handle;
}

}  // namespace detail

}  // namespace multiprocessing::platform::inline posix
