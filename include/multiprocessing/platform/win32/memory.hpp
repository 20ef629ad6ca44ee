// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/memory.hpp — one view of a reserved section, committed as it grows.
// Layer 1 (platform). Implements platform/memory.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/modules.hpp>
#include <multiprocessing/platform/win32/detail/parking_lot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::platform::inline win32 {

inline std::size_t page_size() noexcept { return 4096; }

inline std::uint64_t oom_kills() { return 0; }

class SharedMemory {
public:
    /// The fewest addresses that `create` accepts before it gives up, in bytes.
    static constexpr std::size_t least_reserve = std::size_t{256} << 20;
    /// What a program reserves if it has no wish: page tables of the section cost memory here.
    static constexpr std::size_t usual_reserve = std::size_t{8} << 30;

    static SharedMemory create(std::size_t reserve, std::size_t initial);
    static SharedMemory attach(Handle handle, std::size_t reserve);

    SharedMemory() noexcept = default;
    SharedMemory(SharedMemory&& other) noexcept
        : handle_(std::move(other.handle_)),
          lot_(std::exchange(other.lot_, nullptr)),
          reserved_(std::exchange(other.reserved_, 0)) {}
    SharedMemory& operator=(SharedMemory other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(lot_, other.lot_);
        std::swap(reserved_, other.reserved_);
        return *this;
    }
    ~SharedMemory();

    [[nodiscard]] std::byte* data() const noexcept {
        return lot_ == nullptr ? nullptr : lot_ + detail::lot_bytes;
    }
    [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }
    [[nodiscard]] native_handle handle() const noexcept { return handle_.get(); }

    /// How many bytes are usable now, whoever made them so.
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::size_t resident() const noexcept { return size(); }
    [[nodiscard]] bool is_open() const noexcept { return true; }

    [[nodiscard]] bool grow(std::size_t bytes) noexcept;
    bool give_back(std::size_t, std::size_t) noexcept { return false; }

private:
    explicit SharedMemory(Handle handle) noexcept : handle_(std::move(handle)) {}

    bool map(std::size_t reserve);
    /// Also of pages that are usable already.
    bool commit(std::size_t offset, std::size_t bytes) noexcept {
        return ::VirtualAlloc(lot_ + offset, bytes, detail::commit, detail::read_write) != nullptr;
    }

    Handle handle_;
    std::byte* lot_ = nullptr;  // the view; the memory lies behind its parking lot
    std::size_t reserved_ = 0;
};

namespace detail {

inline std::size_t round_to_pages(std::size_t bytes) noexcept {
    return (bytes + page_size() - 1) / page_size() * page_size();
}

/// A section without a name.
inline Handle make_section(std::size_t bytes) noexcept {
    constexpr dword read_write_reserve = 0x0400'0004;
    return Handle(::CreateFileMappingW(reinterpret_cast<void*>(std::intptr_t{-1}), nullptr,
                                       read_write_reserve, static_cast<dword>(bytes >> 32),
                                       static_cast<dword>(bytes), nullptr));
}

}  // namespace detail

inline SharedMemory::~SharedMemory() {
    if (lot_ != nullptr) {
        detail::withdraw_mapping(reinterpret_cast<std::uintptr_t>(lot_));
        ::UnmapViewOfFile(lot_);
    }
}

inline bool SharedMemory::map(std::size_t reserve) {
    constexpr detail::dword all_access = 0xf001f;
    lot_ = static_cast<std::byte*>(
        ::MapViewOfFile(handle_.get(), all_access, 0, 0, detail::lot_bytes + reserve));
    if (lot_ == nullptr) return false;
    reserved_ = reserve;
    auto const begin = reinterpret_cast<std::uintptr_t>(lot_);
    detail::announce_mapping(begin, begin + detail::lot_bytes + reserve);
    return true;
}

inline SharedMemory SharedMemory::create(std::size_t reserve, std::size_t initial) {
    std::size_t wanted = detail::round_to_pages(std::max(reserve, page_size()));
    for (;;) {
        SharedMemory memory(detail::make_section(detail::lot_bytes + wanted));
        if (memory.handle_ && memory.map(wanted)) {
            if (memory.commit(0, detail::lot_bytes) && memory.grow(initial)) return memory;
            throw MemoryError(fmt::format("cannot get {} KiB of shared memory: the system has no "
                                          "more, or a job object limits it",
                                          initial >> 10));
        }
        if (wanted / 2 < least_reserve) {
            throw MemoryError(fmt::format(
                "cannot reserve {} MiB of addresses for shared memory (error {}): set "
                "MULTIPROCESSING_ARENA to less",
                wanted >> 20, ::GetLastError()));
        }
        wanted = detail::round_to_pages(wanted / 2);
    }
}

inline SharedMemory SharedMemory::attach(Handle handle, std::size_t reserve) {
    SharedMemory memory(std::move(handle));
    if (!memory.map(detail::round_to_pages(reserve))) {
        throw_last_error("MapViewOfFile", "of inherited shared memory");
    }
    return memory;
}

inline std::size_t SharedMemory::size() const noexcept {
    if (lot_ == nullptr) return 0;
    detail::MemoryInfo info{};
    if (::VirtualQuery(data(), info.native(), sizeof info) == 0) return 0;
    return info.state == detail::commit ? info.bytes : 0;  // what is committed is in one piece
}

inline bool SharedMemory::grow(std::size_t bytes) noexcept {
    std::size_t const current = size();
    if (bytes <= current) return true;
    if (bytes > reserved_) return false;
    // Another process may do the same: committing twice is once.
    return commit(detail::lot_bytes + current, detail::round_to_pages(bytes) - current);
}

}  // namespace multiprocessing::platform::inline win32
