// SPDX-License-Identifier: MIT
// multiprocessing/platform/stream.hpp — byte streams between two processes.
// Layer 1 (platform). Mirrors `socket.socketpair` and `os.pipe`.
#pragma once

// stream_pair    two ends of one stream; each end reads what the other wrote.
//                POSIX: a pair of AF_UNIX sockets.  Windows: a named pipe and its client.
// pipe_pair      a one-way stream: first reads, second writes.
// read_some      at least one byte, as many as there are and fit; 0 is the stream's end. Blocks.
// read_all       fills the buffer, or throws EOFError if the stream ends before.
// write_all      all of them, however often the system takes fewer. Blocks. OSError (EPIPE) if
//                nobody can read it any more; never SIGPIPE.
// send_handles, receive_handles    sends copies of handles over a stream_pair together with one
//                byte; the receiver gets exactly as many as it asks for, else OSError.
//                POSIX: SCM_RIGHTS.  Windows: the receiver takes copies out of the sender, which
//                must live until then.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include MULTIPROCESSING_PLATFORM_HEADER(stream)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&stream_pair), std::pair<Handle, Handle> (*)()> &&
                  std::is_same_v<decltype(&pipe_pair), std::pair<Handle, Handle> (*)()>,
              "platform/<os>/stream.hpp must define stream_pair and pipe_pair");
static_assert(
    std::is_same_v<decltype(&read_some), std::size_t (*)(native_handle, std::span<std::byte>)> &&
        std::is_same_v<decltype(&read_all), void (*)(native_handle, std::span<std::byte>)> &&
        std::is_same_v<decltype(&write_all), void (*)(native_handle, std::span<std::byte const>)>,
    "platform/<os>/stream.hpp must define read_some, read_all and write_all");
static_assert(std::is_same_v<decltype(&send_handles),
                             void (*)(native_handle, std::span<native_handle const>)> &&
                  std::is_same_v<decltype(&receive_handles),
                                 std::vector<Handle> (*)(native_handle, std::size_t)>,
              "platform/<os>/stream.hpp must define send_handles and receive_handles");

}  // namespace multiprocessing::platform
