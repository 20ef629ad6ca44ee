// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/mapped_file.hpp — looks into a library before it is loaded.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/module.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/pe.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace multiprocessing::platform::inline win32::detail {

/// A file mapped read-only; empty if that failed.
class MappedFile {
public:
    explicit MappedFile(std::wstring const& path) noexcept {
        constexpr dword read = 0x8000'0000;
        constexpr dword share_all = 7;
        constexpr dword open_existing = 3;
        constexpr dword read_only = 2;
        constexpr dword view_read = 4;
        Handle const file = own_handle(
            ::CreateFileW(path.c_str(), read, share_all, nullptr, open_existing, 0, nullptr));
        std::int64_t size = 0;
        if (!file || ::GetFileSizeEx(file.get(), reinterpret_cast<_LARGE_INTEGER*>(&size)) == 0) {
            return;
        }
        Handle const section(
            ::CreateFileMappingW(file.get(), nullptr, read_only, 0, 0, nullptr));
        if (!section) return;
        void const* const view = ::MapViewOfFile(section.get(), view_read, 0, 0, 0);
        if (view == nullptr) return;
        bytes_ = {static_cast<std::byte const*>(view), static_cast<std::size_t>(size)};
    }
    MappedFile(MappedFile const&) = delete;
    MappedFile& operator=(MappedFile const&) = delete;
    ~MappedFile() {
        if (!bytes_.empty()) ::UnmapViewOfFile(bytes_.data());
    }
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return bytes_; }

private:
    std::span<std::byte const> bytes_;
};

/// What fingerprint_of would say if the file were loaded. Zero if it is no library for this
/// machine.
inline Fingerprint file_fingerprint(std::wstring const& path) {
    MappedFile const file(path);
    return PeHeaders(file.bytes(), PeHeaders::Place::file).fingerprint();
}

inline std::wstring full_path(std::string_view path) {
    std::wstring const wide = to_wide(path);
    return filled([&](wchar_t* buffer, dword size) {
        return ::GetFullPathNameW(wide.c_str(), size, buffer, nullptr);
    });
}

}  // namespace multiprocessing::platform::inline win32::detail
