// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/handle.hpp — HANDLEs.
// Layer 1 (platform). Implements platform/handle.hpp.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <cstdint>
#include <utility>

namespace multiprocessing::platform::inline win32 {

using native_handle = void*;

inline constexpr native_handle invalid_handle = nullptr;

class Handle {
public:
    Handle() noexcept = default;
    explicit Handle(native_handle handle) noexcept : handle_(handle) {}
    Handle(Handle&& other) noexcept : handle_(other.release()) {}
    Handle& operator=(Handle&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~Handle() { reset(); }

    [[nodiscard]] native_handle get() const noexcept { return handle_; }
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    [[nodiscard]] native_handle release() noexcept { return std::exchange(handle_, nullptr); }

    void reset(native_handle handle = nullptr) noexcept {
        native_handle const old = std::exchange(handle_, handle);
        if (old != nullptr && old != handle) {
            // A destructor must not hide the error that is being reported.
            detail::dword const saved = ::GetLastError();
            ::CloseHandle(old);
            ::SetLastError(saved);
        }
    }

private:
    native_handle handle_ = nullptr;
};

namespace detail {

inline constexpr dword same_access = 2;
inline constexpr dword inherit_flag = 1;

// Owns what a call returned, which is null or -1 where it failed.
inline Handle own_handle(native_handle handle) noexcept {
    return reinterpret_cast<std::intptr_t>(handle) == -1 ? Handle() : Handle(handle);
}

}  // namespace detail

inline Handle duplicate(native_handle handle) {
    native_handle const self = ::GetCurrentProcess();
    native_handle copy = nullptr;
    if (::DuplicateHandle(self, handle, self, &copy, 0, false, detail::same_access) == 0) {
        throw_last_error("DuplicateHandle");
    }
    return Handle(copy);
}

inline std::uint64_t number_of_handle(native_handle handle) noexcept {
    return reinterpret_cast<std::uintptr_t>(handle);
}
inline native_handle handle_of_number(std::uint64_t number) noexcept {
    return reinterpret_cast<native_handle>(static_cast<std::uintptr_t>(number));
}

inline void set_inheritable(native_handle handle, bool inheritable) {
    if (::SetHandleInformation(handle, detail::inherit_flag,
                               inheritable ? detail::inherit_flag : 0) == 0) {
        throw_last_error("SetHandleInformation");
    }
}

}  // namespace multiprocessing::platform::inline win32
