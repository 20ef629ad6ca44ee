// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/pipe.hpp — named pipes, each operation with its own event.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

// Without FILE_FLAG_OVERLAPPED a read that waits would hold up every write to the same handle.

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/event.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/xchar.h>

namespace multiprocessing::platform::inline win32::detail {

inline constexpr dword error_broken_pipe = 109;
inline constexpr dword error_no_data = 232;
inline constexpr dword error_pipe_not_connected = 233;
inline constexpr dword error_io_pending = 997;

constexpr bool is_disconnection(dword error) noexcept {
    return error == error_broken_pipe || error == error_no_data ||
           error == error_pipe_not_connected;
}

inline bool is_pipe(native_handle handle) noexcept {
    constexpr dword file_type_pipe = 3;
    return ::GetFileType(handle) == file_type_pipe;
}

// One read or write. It is over when this is destroyed, whatever happens.
class PipeOperation {
public:
    explicit PipeOperation(native_handle pipe) : pipe_(pipe), event_(make_event()) {
        overlapped_.event = event_.get();
    }
    PipeOperation(PipeOperation const&) = delete;
    PipeOperation& operator=(PipeOperation const&) = delete;
    ~PipeOperation() {
        if (!is_pending_) return;
        ::CancelIoEx(pipe_, overlapped_.native());
        dword bytes = 0;  // the system writes to `overlapped_` until then
        ::GetOverlappedResult(pipe_, overlapped_.native(), &bytes, 1);
    }

    void start_read(std::span<std::byte> into) {
        begin(::ReadFile(pipe_, into.data(), length(into.size()), nullptr, overlapped_.native()));
    }
    void start_write(std::span<std::byte const> from) {
        begin(::WriteFile(pipe_, from.data(), length(from.size()), nullptr, overlapped_.native()));
    }

    // Waits for the end. The number of bytes, or nothing and `error()`.
    bool finish(std::size_t& bytes) {
        if (error_ != 0) return false;
        dword moved = 0;
        bool const done = ::GetOverlappedResult(pipe_, overlapped_.native(), &moved, 1) != 0;
        if (!done) error_ = ::GetLastError();
        is_pending_ = false;
        bytes = moved;
        return done;
    }

    [[nodiscard]] bool is_pending() const noexcept { return is_pending_; }
    [[nodiscard]] dword error() const noexcept { return error_; }
    [[nodiscard]] native_handle event() const noexcept { return event_.get(); }

private:
    static dword length(std::size_t size) noexcept {
        constexpr std::size_t most = std::size_t{1} << 30;
        return static_cast<dword>(size < most ? size : most);
    }

    void begin(int done_at_once) {
        auto const error = done_at_once != 0 ? 0 : ::GetLastError();
        is_pending_ = error == error_io_pending;
        error_ = is_pending_ ? 0 : error;
    }

    native_handle pipe_;
    Handle event_;
    Overlapped overlapped_;
    dword error_ = 0;
    bool is_pending_ = false;
};

// Asks for no byte, which the system answers once there are some, or never will be. The event is
// set then; nothing is taken out of the pipe.
class PendingRead {
public:
    explicit PendingRead(native_handle pipe) : operation_(pipe) {
        operation_.start_read({nothing_.data(), 0});
        if (!operation_.is_pending()) ::SetEvent(operation_.event());
    }

    [[nodiscard]] native_handle event() const noexcept { return operation_.event(); }

private:
    std::array<std::byte, 1> nothing_{};
    PipeOperation operation_;
};

// Both ends of a pipe that nobody else can open; the first as the server has it.
inline std::pair<Handle, Handle> connected_pipe(dword server_access, dword client_access) {
    constexpr dword overlapped = 0x4000'0000, first_instance = 0x0008'0000;
    constexpr dword bytes_local_only = 0x8, open_existing = 3, buffer_bytes = 64 << 10;
    std::array<std::uint64_t, 2> secret{};
    random_bytes(std::as_writable_bytes(std::span{secret}));
    auto const name = fmt::format(L"\\\\.\\pipe\\multiprocessing-{:016x}{:016x}", secret[0],
                                  secret[1]);
    Handle server = own_handle(
        ::CreateNamedPipeW(name.c_str(), server_access | overlapped | first_instance,
                           bytes_local_only, 1, buffer_bytes, buffer_bytes, 0, nullptr));
    if (!server) throw_last_error("CreateNamedPipe");
    Handle client = own_handle(::CreateFileW(name.c_str(), client_access, 0, nullptr,
                                             open_existing, overlapped, nullptr));
    if (!client) throw_last_error("CreateFile", "of a pipe");
    return {std::move(server), std::move(client)};
}

}  // namespace multiprocessing::platform::inline win32::detail
