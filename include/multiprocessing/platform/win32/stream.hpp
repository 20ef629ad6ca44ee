// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/stream.hpp — named pipes between two processes.
// Layer 1 (platform). Implements platform/stream.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/pipe.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace multiprocessing::platform::inline win32 {

namespace detail {

inline constexpr dword generic_read = 0x8000'0000, generic_write = 0x4000'0000;
inline constexpr dword inbound = 1, duplex = 3;

// A lost reader is the same error on every system.
[[noreturn]] inline void throw_stream_error(std::errc error, char const* text) {
    throw OSError(std::make_error_code(error), text);
}

// What goes through the stream for some handles: they lie open in the sender until they are taken.
struct HandleLetter {
    static constexpr unsigned char tag = 'H';

    std::uint64_t count = 0;
    std::uint64_t sender = 0;
};

inline constexpr std::size_t most_handles = 250;

inline Handle take_from(native_handle sender, std::uint64_t number) {
    constexpr dword close_source = 1;
    native_handle taken = nullptr;
    if (::DuplicateHandle(sender, reinterpret_cast<native_handle>(number), ::GetCurrentProcess(),
                        &taken, 0, 0, close_source | same_access) == 0)
        throw_last_error("DuplicateHandle", "of a handle that was sent");
    return Handle(taken);
}

}  // namespace detail

inline std::pair<Handle, Handle> stream_pair() {
    return detail::connected_pipe(detail::duplex, detail::generic_read | detail::generic_write);
}

inline std::pair<Handle, Handle> pipe_pair() {
    return detail::connected_pipe(detail::inbound, detail::generic_write);
}

inline std::size_t read_some(native_handle stream, std::span<std::byte> bytes) {
    std::size_t got = 0;
    detail::PipeOperation read(stream);
    read.start_read(bytes);
    if (read.finish(got)) return got;
    if (detail::is_disconnection(read.error())) return 0;
    throw_system_error(static_cast<int>(read.error()), "ReadFile", "of a stream");
}

inline void read_all(native_handle stream, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        std::size_t const got = read_some(stream, bytes);
        if (got == 0) throw EOFError();
        bytes = bytes.subspan(got);
    }
}

inline void write_all(native_handle stream, std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
        std::size_t written = 0;
        detail::PipeOperation write(stream);
        write.start_write(bytes);
        if (write.finish(written)) {
            bytes = bytes.subspan(written);
        } else if (detail::is_disconnection(write.error())) {
            detail::throw_stream_error(std::errc::broken_pipe,
                                       "WriteFile to a stream: nobody can read it any more");
        } else {
            throw_system_error(static_cast<int>(write.error()), "WriteFile", "to a stream");
        }
    }
}

inline void send_handles(native_handle stream, std::span<native_handle const> handles) {
    if (handles.empty() || handles.size() > detail::most_handles)
        throw ValueError("cannot send no handle, or so many, in one message");
    detail::HandleLetter const letter{handles.size(), ::GetCurrentProcessId()};
    std::vector<Handle> copies;
    std::vector<std::byte> bytes{std::byte{letter.tag}};
    auto const append = [&bytes](auto const& value) {
        auto const more = std::as_bytes(std::span{&value, 1});
        bytes.insert(bytes.end(), more.begin(), more.end());
    };
    append(letter);
    for (auto const handle : handles) {
        copies.push_back(duplicate(handle));
        append(reinterpret_cast<std::uint64_t>(copies.back().get()));
    }
    write_all(stream, bytes);
    for (auto& copy : copies) static_cast<void>(copy.release());  // the receiver closes them
}

inline std::vector<Handle> receive_handles(native_handle stream, std::size_t count) {
    std::byte tag{};
    if (read_some(stream, {&tag, 1}) == 0) throw EOFError();
    if (tag != std::byte{detail::HandleLetter::tag})
        detail::throw_stream_error(std::errc::bad_message, "no handles have been sent");
    detail::HandleLetter letter;
    read_all(stream, std::as_writable_bytes(std::span{&letter, 1}));
    if (letter.count == 0 || letter.count > detail::most_handles)
        detail::throw_stream_error(std::errc::bad_message, "no handles have been sent");
    std::vector<std::uint64_t> numbers(letter.count);
    read_all(stream, std::as_writable_bytes(std::span{numbers}));
    constexpr detail::dword duplicate_handles = 0x40;
    Handle const sender(
        ::OpenProcess(duplicate_handles, 0, static_cast<detail::dword>(letter.sender)));
    if (!sender) throw_last_error("OpenProcess", "of the sender of handles");
    // What arrived is ours to close, whether it is what we expect or not.
    std::vector<Handle> handles;
    for (auto const number : numbers) handles.push_back(detail::take_from(sender.get(), number));
    if (handles.size() != count)
        detail::throw_stream_error(std::errc::bad_message, "another number of handles was sent");
    return handles;
}

}  // namespace multiprocessing::platform::inline win32
