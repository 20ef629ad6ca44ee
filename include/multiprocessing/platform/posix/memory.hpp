// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/memory.hpp — memfd, ftruncate and one mapping.
// Layer 1 (platform). Implements platform/memory.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/posix/detail/limits.hpp>
#include <multiprocessing/platform/posix/detail/procfs.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

inline std::size_t page_size() noexcept {
    static std::size_t const size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

class SharedMemory {
public:
    /// The fewest addresses that `create` accepts before it gives up, in bytes.
    static constexpr std::size_t least_reserve = std::size_t{256} << 20;
    /// What a program reserves if it has no wish.
    static constexpr std::size_t usual_reserve = std::size_t{64} << 30;

    static SharedMemory create(std::size_t reserve, std::size_t initial);
    static SharedMemory attach(Handle handle, std::size_t reserve);

    SharedMemory() noexcept = default;
    SharedMemory(SharedMemory&& other) noexcept
        : handle_(std::move(other.handle_)),
          data_(std::exchange(other.data_, nullptr)),
          reserved_(std::exchange(other.reserved_, 0)),
          file_(other.file_),
          competes_(other.competes_) {}
    SharedMemory& operator=(SharedMemory other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(data_, other.data_);
        std::swap(reserved_, other.reserved_);
        std::swap(file_, other.file_);
        std::swap(competes_, other.competes_);
        return *this;
    }
    ~SharedMemory();

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }
    [[nodiscard]] native_handle handle() const noexcept { return handle_.get(); }

    /// How many bytes are usable now, whoever made them so.
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::size_t resident() const noexcept;

    /// Whether the handle is still that of the memory: a program may have closed it.
    [[nodiscard]] bool is_open() const noexcept {
        struct stat info {};
        return look(info);
    }

    [[nodiscard]] bool grow(std::size_t bytes) noexcept;
    bool give_back(std::size_t offset, std::size_t bytes) noexcept;

private:
    explicit SharedMemory(Handle handle);

    bool map(std::size_t reserve) noexcept;
    bool look(struct stat& info) const noexcept {
        return ::fstat(handle_.get(), &info) == 0 && info.st_ino == file_.inode &&
               info.st_dev == file_.device;
    }
    /// Whether pages must be taken when granted, else touching one may be a SIGBUS.
    bool eager() const noexcept;

    Handle handle_;
    std::byte* data_ = nullptr;
    std::size_t reserved_ = 0;
    struct File {
        ino_t inode = 0;
        dev_t device = 0;
    } file_;  // what the handle was when it was new; its number may be another file's by now
    bool competes_ = false;
};

namespace detail {

inline std::size_t round_to_pages(std::size_t bytes) noexcept {
    return (bytes + page_size() - 1) / page_size() * page_size();
}

inline Handle make_sealed_memory() noexcept {
#if defined(SYS_memfd_create)
    // A kernel that refuses executable memfds insists on the flag; an older one does not know it.
    constexpr unsigned close_on_exec = 1;
    constexpr unsigned allow_sealing = 2;
    constexpr unsigned noexec_seal = 8;
    for (unsigned const extra : {noexec_seal, 0u}) {
        Handle handle = own_descriptor(static_cast<int>(
            ::syscall(SYS_memfd_create, "multiprocessing", close_on_exec | allow_sealing | extra)));
        if (handle && ::fcntl(handle.get(), F_ADD_SEALS, F_SEAL_SHRINK) == 0) {
            return handle;
        }
    }
#endif
    return Handle();
}

inline Handle make_unlinked_memory() {
    for (unsigned attempt = 0;; ++attempt) {
        char name[64];
        std::snprintf(name, sizeof name, "/multiprocessing-%lld-%u",
                      static_cast<long long>(::getpid()), attempt);
        Handle handle =
            own_descriptor(::shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (handle) {
            ::shm_unlink(name);
            return handle;
        }
        if (errno != EEXIST || attempt == 1000) {
            throw_last_error("shm_open", name);
        }
    }
}

inline bool overcommit_is_strict() noexcept {
    static constinit std::atomic<int> known{0};  // 0: not yet; 1: no; 2: yes
    auto seen = known.load(std::memory_order_relaxed);
    if (seen == 0) {
        SmallFile<16> const file("/proc/sys/vm/overcommit_memory");
        seen = file.text().starts_with('2') ? 2 : 1;
        known.store(seen, std::memory_order_relaxed);
    }
    return seen == 2;
}

}  // namespace detail

inline std::uint64_t oom_kills() {
    auto const& groups = detail::memory_cgroup();
    if (groups.folders.empty()) return 0;
    return detail::read_cgroup_line(groups.folders.front(),
                                    groups.version == 2 ? "memory.events" : "memory.oom_control",
                                    "oom_kill");
}

inline SharedMemory::SharedMemory(Handle handle)
    : handle_(std::move(handle)),
      // A file under /dev/shm competes with others for that mount's size; a memfd does not.
      competes_((std::max(::fcntl(handle_.get(), F_GET_SEALS), 0) & F_SEAL_SHRINK) == 0) {
    struct stat info {};
    if (::fstat(handle_.get(), &info) == 0) file_ = {info.st_ino, info.st_dev};
}

inline bool SharedMemory::eager() const noexcept {
    return competes_ || detail::overcommit_is_strict();
}

inline SharedMemory::~SharedMemory() {
    if (data_ != nullptr) {
        ::munmap(data_, reserved_);
    }
}

inline bool SharedMemory::map(std::size_t reserve) noexcept {
    void* const address = ::mmap(nullptr, reserve, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_NORESERVE, handle_.get(), 0);
    if (address == MAP_FAILED) {
        return false;
    }
    ::madvise(address, reserve, MADV_DONTDUMP);
    data_ = static_cast<std::byte*>(address);
    reserved_ = reserve;
    return true;
}

inline SharedMemory SharedMemory::create(std::size_t reserve, std::size_t initial) {
    Handle handle = detail::make_sealed_memory();
    SharedMemory memory(handle ? std::move(handle) : detail::make_unlinked_memory());
    std::size_t wanted = detail::round_to_pages(std::max(reserve, page_size()));
    while (!memory.map(wanted)) {
        if (errno != ENOMEM || wanted / 2 < least_reserve) {
            throw MemoryError(fmt::format(
                "cannot reserve {} MiB of addresses for shared memory: raise the limit of the "
                "address space (ulimit -v, RLIMIT_AS), or set MULTIPROCESSING_ARENA to less",
                wanted >> 20));
        }
        wanted = detail::round_to_pages(wanted / 2);
    }
    if (!memory.grow(initial)) {
        throw MemoryError(fmt::format(
            "cannot get {} KiB of shared memory: raise the limit of the file size (ulimit -f, "
            "RLIMIT_FSIZE) or of the control group's memory",
            initial >> 10));
    }
    return memory;
}

inline SharedMemory SharedMemory::attach(Handle handle, std::size_t reserve) {
    SharedMemory memory(std::move(handle));
    if (!memory.map(detail::round_to_pages(reserve))) {
        if (errno != ENOMEM) {
            throw_last_error("mmap", "of inherited shared memory");
        }
        throw MemoryError(fmt::format(
            "cannot reserve {} MiB of addresses for inherited shared memory: raise the limit of "
            "the "
            "address space (ulimit -v, RLIMIT_AS), or set MULTIPROCESSING_ARENA to less in the "
            "first process",
            reserve >> 20));
    }
    return memory;
}

inline std::size_t SharedMemory::size() const noexcept {
    struct stat info {};
    return look(info) ? static_cast<std::size_t>(info.st_size) : 0;
}

inline std::size_t SharedMemory::resident() const noexcept {
    struct stat info {};
    return look(info) ? static_cast<std::size_t>(info.st_blocks) * 512 : 0;
}

inline bool SharedMemory::grow(std::size_t bytes) noexcept try {
    struct stat info {};
    if (!look(info)) {
        return false;
    }
    auto const current = static_cast<std::size_t>(info.st_size);
    if (bytes <= current) {
        return true;
    }
    std::size_t const wanted = bytes <= reserved_ ? detail::round_to_pages(bytes) : bytes;
    if (wanted > reserved_) {
        return false;
    }
    if (!detail::may_grow_file(current, wanted)) {
        return false;
    }
    for (;;) {
        int const refused = eager() ? ::fallocate(handle_.get(), 0, static_cast<off_t>(current),
                                                 static_cast<off_t>(wanted - current))
                                   : ::ftruncate(handle_.get(), static_cast<off_t>(wanted));
        if (refused == 0) {
            return true;
        }
        if (errno != EINTR) {
            // EPERM: another process grew it further meanwhile, and the seal forbids to shrink.
            return size() >= wanted;
        }
    }
} catch (std::exception const&) {
    return false;  // no memory even to look at the limits
}

inline bool SharedMemory::give_back(std::size_t offset, std::size_t bytes) noexcept {
    if (eager() || !is_open()) {
        return false;
    }
    int result = 0;
    do {
        result = ::fallocate(handle_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             static_cast<off_t>(offset), static_cast<off_t>(bytes));
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

}  // namespace multiprocessing::platform::inline posix
