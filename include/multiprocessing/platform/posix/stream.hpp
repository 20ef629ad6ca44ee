// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/stream.hpp — AF_UNIX socket pairs and pipes.
// Layer 1 (platform). Implements platform/stream.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

inline std::pair<Handle, Handle> own_both(int const (&ends)[2]) {
    std::pair<Handle, Handle> result{Handle(), own_descriptor(ends[1])};
    result.first = own_descriptor(ends[0]);
    if (!result.first || !result.second) {
        throw_last_error("fcntl(F_DUPFD_CLOEXEC)");
    }
    return result;
}

// write() to a pipe, where a lost reader is EPIPE and no signal: SIGPIPE goes to the thread that
// wrote, so it can be blocked and collected there.
inline ssize_t write_to_pipe(native_handle pipe, std::span<std::byte const> bytes) noexcept {
    sigset_t broken;
    sigset_t before;
    sigset_t pending;
    ::sigemptyset(&broken);
    ::sigaddset(&broken, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken, &before);
    ::sigpending(&pending);
    ssize_t const written = ::write(pipe, bytes.data(), bytes.size());
    int const saved = errno;
    if (written < 0 && saved == EPIPE && ::sigismember(&pending, SIGPIPE) == 0) {
        timespec const at_once{};
        while (::sigtimedwait(&broken, nullptr, &at_once) < 0 && errno == EINTR) {}
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = saved;
    return written;
}

inline ssize_t write_some(native_handle stream, std::span<std::byte const> bytes) noexcept {
    ssize_t const sent = ::send(stream, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write_to_pipe(stream, bytes) : sent;
}

inline constexpr std::size_t most_handles = 250;  // the kernel's own limit is 253 per message

}  // namespace detail

inline std::pair<Handle, Handle> stream_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw_last_error("socketpair");
    }
    return detail::own_both(ends);
}

inline std::pair<Handle, Handle> pipe_pair() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw_last_error("pipe2");
    }
    return detail::own_both(ends);
}

inline std::size_t read_some(native_handle stream, std::span<std::byte> bytes) {
    for (;;) {
        ssize_t const got = ::read(stream, bytes.data(), bytes.size());
        if (got >= 0) {
            return static_cast<std::size_t>(got);
        }
        if (errno == ECONNRESET) {  // the peer went without reading everything
            return 0;
        }
        if (errno != EINTR) {
            throw_last_error("read", "of a stream");
        }
    }
}

inline void read_all(native_handle stream, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        std::size_t const got = read_some(stream, bytes);
        if (got == 0) {
            throw EOFError();
        }
        bytes = bytes.subspan(got);
    }
}

inline void write_all(native_handle stream, std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
        ssize_t const written = detail::write_some(stream, bytes);
        if (written >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            throw_last_error("write", "to a stream");
        }
    }
}

inline void send_handles(native_handle stream, std::span<native_handle const> handles) {
    if (handles.empty() || handles.size() > detail::most_handles) {
        throw ValueError("cannot send no handle, or so many, in one message");
    }
    char byte = 'H';
    iovec payload{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(detail::most_handles * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(handles.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(handles.size_bytes());
    std::memcpy(CMSG_DATA(header), handles.data(), handles.size_bytes());
    while (::sendmsg(stream, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            throw_last_error("sendmsg", "of handles");
        }
    }
}

inline std::vector<Handle> receive_handles(native_handle stream, std::size_t count) {
    char byte = 0;
    iovec payload{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(detail::most_handles * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = 0;
    do {
        got = ::recvmsg(stream, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno != ECONNRESET) {
        throw_last_error("recvmsg", "of handles");
    }
    if (got <= 0) {
        throw EOFError();
    }
    // What arrived is ours to close, whether it is what we expect or not.
    std::vector<Handle> handles;
    handles.reserve(detail::most_handles);
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        std::size_t const arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < arrived; ++i) {
            int handle = -1;
            std::memcpy(&handle, CMSG_DATA(header) + i * sizeof(int), sizeof handle);
            handles.push_back(detail::own_descriptor(handle));
        }
    }
    if (handles.size() != count || (message.msg_flags & MSG_CTRUNC) != 0) {
        throw_system_error(EBADMSG, "recvmsg", "of handles");
    }
    return handles;
}

}  // namespace multiprocessing::platform::inline posix
