// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/named_memory.hpp — shm_open, fallocate and one mapping.
// Layer 1 (platform). Implements platform/named_memory.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/posix/detail/limits.hpp>

#include <cstddef>
#include <string>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline constexpr bool memory_names_persist = true;

class NamedMemory {
public:
    static NamedMemory create(std::string const& name, std::size_t bytes);
    static NamedMemory attach(std::string const& name);

    NamedMemory() noexcept = default;
    NamedMemory(NamedMemory&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    NamedMemory& operator=(NamedMemory other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~NamedMemory() {
        if (data_ != nullptr) ::munmap(data_, size_);
    }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    NamedMemory(native_handle file, std::string const& name, std::size_t bytes) {
        void* const address =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (address == MAP_FAILED) {
            if (errno != ENOMEM) throw_last_error("mmap", name);
            throw MemoryError(fmt::format("no addresses left for {} bytes of shared memory '{}': "
                                          "raise the limit of the address space (ulimit -v)",
                                          bytes, name));
        }
        data_ = static_cast<std::byte*>(address);
        size_ = bytes;
    }

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

inline bool unlink_memory(std::string const& name) {
    if (::shm_unlink(("/" + name).c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    throw_last_error("shm_unlink", name);
}

namespace detail {

[[noreturn]] inline void refuse_memory(std::string const& name, std::size_t bytes) {
    throw MemoryError(fmt::format(
        "cannot get {} bytes for shared memory '{}': /dev/shm, the control group's memory or the "
        "limit of the file size (ulimit -f) allows no more",
        bytes, name));
}

inline void take_pages(native_handle file, std::string const& name, std::size_t bytes) {
    if (!may_grow_file(0, bytes)) refuse_memory(name, bytes);
    int error = EINTR;
    while (error == EINTR) error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
    if (error == ENOSPC || error == EFBIG || error == ENOMEM || error == EINVAL)
        refuse_memory(name, bytes);
    if (error != 0) throw_system_error(error, "posix_fallocate", name);
}

}  // namespace detail

inline NamedMemory NamedMemory::create(std::string const& name, std::size_t bytes) {
    Handle const file = detail::own_descriptor(
        ::shm_open(("/" + name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) {
        if (errno != EEXIST) throw_last_error("shm_open", name);
        throw FileExistsError(fmt::format("File exists: '/{}'", name));
    }
    try {
        detail::take_pages(file.get(), name, bytes);
        return NamedMemory(file.get(), name, bytes);
    } catch (...) {
        ::shm_unlink(("/" + name).c_str());
        throw;
    }
}

inline NamedMemory NamedMemory::attach(std::string const& name) {
    Handle const file =
        detail::own_descriptor(::shm_open(("/" + name).c_str(), O_RDWR | O_CLOEXEC, 0));
    if (!file) {
        if (errno != ENOENT) throw_last_error("shm_open", name);
        throw FileNotFoundError(fmt::format("No such file or directory: '/{}'", name));
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) throw_last_error("fstat", name);
    // Its maker is between two steps, or was killed there.
    if (info.st_size == 0)
        throw FileNotFoundError(fmt::format("shared memory '/{}' has no size yet", name));
    return NamedMemory(file.get(), name, static_cast<std::size_t>(info.st_size));
}

}  // namespace multiprocessing::platform::inline posix
