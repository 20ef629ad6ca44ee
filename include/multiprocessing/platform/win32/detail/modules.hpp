// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/modules.hpp — the loader's list, and pages of one's own.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/pe.hpp>

#include <cstddef>
#include <vector>

namespace multiprocessing::platform::inline win32::detail {

/// All modules of this process, the executable first, then in the order of loading.
inline std::vector<module_t> loaded_modules() {
    std::vector<module_t> modules(256);
    for (;;) {
        dword const room = static_cast<dword>(modules.size() * sizeof(module_t));
        dword needed = 0;
        // It fails where a module comes or goes while it looks.
        if (::K32EnumProcessModules(::GetCurrentProcess(), modules.data(), room, &needed) == 0) {
            ::Sleep(0);
            continue;
        }
        modules.resize(needed / sizeof(module_t));
        if (needed <= room) return modules;
    }
}

/// The module with this address, which stays loaded while this object lives.
class ModuleInUse {
public:
    explicit ModuleInUse(void const* address) noexcept {
        constexpr dword by_address = 4;
        if (::GetModuleHandleExW(by_address, static_cast<wchar_t const*>(address), &module_) == 0)
            module_ = nullptr;
    }
    ModuleInUse(ModuleInUse const&) = delete;
    ModuleInUse& operator=(ModuleInUse const&) = delete;
    ~ModuleInUse() {
        if (module_ != nullptr) ::FreeLibrary(module_);
    }

    explicit operator bool() const noexcept { return module_ != nullptr; }
    [[nodiscard]] module_t get() const noexcept { return module_; }

    void keep_for_ever() const noexcept {
        constexpr dword pin_by_address = 5;
        module_t same = nullptr;
        ::GetModuleHandleExW(pin_by_address, reinterpret_cast<wchar_t const*>(module_), &same);
    }

private:
    module_t module_ = nullptr;
};

inline constexpr dword commit = 0x1000;
inline constexpr dword read_write = 4;

/// Zeroed pages; null if the system refuses.
inline void* take_pages(std::size_t bytes) noexcept {
    constexpr dword reserve = 0x2000;
    return ::VirtualAlloc(nullptr, bytes, reserve | commit, read_write);
}

inline void give_back_pages(void* pages) noexcept {
    constexpr dword release = 0x8000;
    ::VirtualFree(pages, 0, release);
}

}  // namespace multiprocessing::platform::inline win32::detail
