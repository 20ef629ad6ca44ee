// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/procfs.hpp — reads small kernel files without allocating.
// Layer 1 (platform). Helper of platform/posix.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix::detail {

// A kernel file's first bytes. No C++ heap: a sweeper runs where the heap's owner just died, and in
// a forked child whose allocator another thread may have left locked.
template <std::size_t Capacity>
class SmallFile {
public:
    /// Reads the file; `error()` tells the errno of what failed.
    explicit SmallFile(char const* path) noexcept {
        int const file = ::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (file < 0) {
            error_ = errno;
            return;
        }
        while (size_ < Capacity) {
            ssize_t const got = ::read(file, text_ + size_, Capacity - size_);
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0) {
                error_ = errno;
                size_ = 0;
            }
            if (got <= 0) {
                break;
            }
            size_ += static_cast<std::size_t>(got);
        }
        ::close(file);
    }

    [[nodiscard]] int error() const noexcept { return error_; }
    [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }

private:
    char text_[Capacity];
    std::size_t size_ = 0;
    int error_ = 0;
};

// The number at the front of a text, after blanks; none for "max" or anything else.
inline std::optional<std::uint64_t> leading_number(std::string_view text) noexcept {
    std::size_t const start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    auto const [end, error] =
        std::from_chars(text.data() + start, text.data() + text.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

// Cuts the first blank-separated word off the front of `text`.
inline std::string_view next_word(std::string_view& text) noexcept {
    std::size_t const start = text.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) {
        text = {};
        return {};
    }
    text.remove_prefix(start);
    std::string_view const word = text.substr(0, text.find_first_of(" \t\n"));
    text.remove_prefix(word.size());
    return word;
}

// Cuts the first line off the front of `text`, without its newline.
inline std::string_view next_line(std::string_view& text) noexcept {
    std::string_view const line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    return line;
}

}  // namespace multiprocessing::platform::inline posix::detail
