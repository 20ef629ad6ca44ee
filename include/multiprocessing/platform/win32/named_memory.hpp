// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/named_memory.hpp — a named section backed by the paging file.
// Layer 1 (platform). Implements platform/named_memory.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::platform::inline win32 {

inline constexpr bool memory_names_persist = false;

class NamedMemory {
public:
    static NamedMemory create(std::string const& name, std::size_t bytes);
    static NamedMemory attach(std::string const& name);

    NamedMemory() noexcept = default;
    NamedMemory(NamedMemory&& other) noexcept
        : section_(std::move(other.section_)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    NamedMemory& operator=(NamedMemory other) noexcept {
        std::swap(section_, other.section_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~NamedMemory() {
        if (data_ != nullptr) ::UnmapViewOfFile(data_);
    }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    static constexpr detail::dword all_access = 0xf001f;

    /// `bytes` of 0: all there is.
    NamedMemory(Handle section, std::string const& name, std::size_t bytes)
        : section_(std::move(section)),
          data_(static_cast<std::byte*>(
              ::MapViewOfFile(section_.get(), all_access, 0, 0, bytes))),
          size_(bytes) {
        constexpr detail::dword not_enough_memory = 8;
        if (data_ == nullptr) {
            if (::GetLastError() != not_enough_memory) throw_last_error("MapViewOfFile", name);
            throw MemoryError(
                fmt::format("no addresses left for {} bytes of shared memory '{}'", bytes, name));
        }
        detail::MemoryInfo info{};
        if (bytes == 0 && ::VirtualQuery(data_, info.native(), sizeof info) != 0)
            size_ = info.bytes;
    }

    Handle section_;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

inline bool unlink_memory(std::string const&) { return true; }

inline NamedMemory NamedMemory::create(std::string const& name, std::size_t bytes) {
    constexpr detail::dword already_exists = 183, read_write = 4;
    Handle section(::CreateFileMappingW(reinterpret_cast<void*>(std::intptr_t{-1}), nullptr,
                                        read_write,
                                        static_cast<detail::dword>(bytes >> 32),
                                        static_cast<detail::dword>(bytes),
                                        detail::to_wide(name).c_str()));
    auto const error = ::GetLastError();
    if (section && error == already_exists)
        throw FileExistsError(fmt::format("File exists: '{}'", name));
    if (!section)
        throw MemoryError(fmt::format("cannot get {} bytes for shared memory '{}': {}", bytes,
                                      name, detail::system_message(static_cast<int>(error))));
    return NamedMemory(std::move(section), name, bytes);
}

inline NamedMemory NamedMemory::attach(std::string const& name) {
    constexpr detail::dword file_not_found = 2;
    Handle section(::OpenFileMappingW(all_access, 0, detail::to_wide(name).c_str()));
    if (!section) {
        if (::GetLastError() != file_not_found) throw_last_error("OpenFileMapping", name);
        throw FileNotFoundError(fmt::format("No such file or directory: '{}'", name));
    }
    return NamedMemory(std::move(section), name, 0);
}

}  // namespace multiprocessing::platform::inline win32
