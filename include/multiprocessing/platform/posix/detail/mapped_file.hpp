// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/mapped_file.hpp — whether a process has a file open or
// mapped, as /proc tells.
// Layer 1 (platform). Helper of platform/posix/liveness.hpp.
#pragma once

#include <cstdint>
#include <cstdio>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix::detail {

enum class Mapped { yes, no, unknown };

// Finds a file in lines "addresses rights offset major:minor inode path" (the device in hex), which
// come in pieces of any size.
class MapsReader {
public:
    explicit MapsReader(struct stat const& file) noexcept
        : major_((file.st_dev >> 8 & 0xfff) | (file.st_dev >> 32 & ~std::uint64_t{0xfff})),
          minor_((file.st_dev & 0xff) | (file.st_dev >> 12 & ~std::uint64_t{0xff})),
          inode_(file.st_ino) {}

    bool found() const noexcept { return found_; }

    void read(char c) noexcept {
        if (c == '\n') {
            found_ = found_ ||
                     (values_[0] == major_ && values_[1] == minor_ && values_[2] == inode_);
            field_ = 0;
            for (auto& value : values_) value = 0;
        } else if (c == ' ' || (c == ':' && field_ == device)) {
            ++field_;  // a blank in the path counts too, and does no harm
        } else if (field_ >= device && field_ < device + 3) {
            bool const is_letter = c >= 'a';
            auto const digit = static_cast<std::uint64_t>(is_letter ? c - 'a' + 10 : c - '0');
            auto& value = values_[field_ - device];
            value = value * (field_ == device + 2 ? 10 : 16) + digit;
        }
    }

private:
    static constexpr unsigned device = 3;
    std::uint64_t major_, minor_, inode_;
    std::uint64_t values_[3] = {};
    unsigned field_ = 0;
    bool found_ = false;
};

inline Mapped has_mapped(char const* maps, struct stat const& wanted) noexcept {
    int const file = ::open(maps, O_RDONLY | O_CLOEXEC);
    if (file < 0) return Mapped::unknown;
    MapsReader reader(wanted);
    bool any = false;
    char buffer[4096];
    ssize_t got = 0;
    do {
        got = ::read(file, buffer, sizeof buffer);
        for (ssize_t i = 0; i < got; ++i) reader.read(buffer[i]);
        any = any || got > 0;
    } while (!reader.found() && (got > 0 || (got < 0 && errno == EINTR)));
    ::close(file);
    if (reader.found()) return Mapped::yes;
    // A process that is about to end has no mappings any more, and its other threads may have.
    return any && got == 0 ? Mapped::no : Mapped::unknown;
}

// Whether a process is seen to have neither this descriptor of a file nor the file mapped.
inline bool has_left_file(std::int64_t pid, int there, struct stat const& wanted) noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%lld/fd/%d", static_cast<long long>(pid), there);
    struct stat seen {};
    if (there >= 0 && ::stat(path, &seen) == 0 && seen.st_dev == wanted.st_dev &&
        seen.st_ino == wanted.st_ino)
        return false;
    std::snprintf(path, sizeof path, "/proc/%lld/maps", static_cast<long long>(pid));
    // Only where the question finds what is known to be there does a no mean anything.
    return has_mapped(path, wanted) == Mapped::no &&
           has_mapped("/proc/self/maps", wanted) == Mapped::yes;
}

}  // namespace multiprocessing::platform::inline posix::detail
