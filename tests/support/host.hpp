// SPDX-License-Identifier: MIT
// tests/support/host.hpp — what the tests ask of the system beside the library, on each system.
#pragma once

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/handle.hpp>

#include <cstdlib>

#if MULTIPROCESSING_WIN32
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <windows.h>
#define TEST_EXPORT __declspec(dllexport)
#else
#include <dlfcn.h>
#include <fcntl.h>
#define TEST_EXPORT [[gnu::visibility("default")]]
#endif

namespace test {

/// A library that is loaded for as long as this lives. False if it was not found.
class Library {
public:
    Library(Library const&) = delete;
    Library& operator=(Library const&) = delete;

    explicit operator bool() const noexcept { return handle_ != nullptr; }

    template <class Pointer>
    Pointer symbol(char const* name) const {
        return reinterpret_cast<Pointer>(address(name));
    }

#if MULTIPROCESSING_WIN32
    explicit Library(char const* path) : handle_(::LoadLibraryA(path)) {}
    ~Library() {
        if (handle_ != nullptr) ::FreeLibrary(handle_);
    }
    void* address(char const* name) const {
        return reinterpret_cast<void*>(::GetProcAddress(handle_, name));
    }

private:
    HMODULE handle_;
#else
    explicit Library(char const* path) : handle_(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {}
    ~Library() {
        if (handle_ != nullptr) ::dlclose(handle_);
    }
    void* address(char const* name) const { return ::dlsym(handle_, name); }

private:
    void* handle_;
#endif
};

#if MULTIPROCESSING_WIN32

/// Takes one reference from a library that somebody else has loaded.
inline void unload(char const* path) { ::FreeLibrary(::GetModuleHandleA(path)); }

/// Null takes the variable away.
inline void set_environment(char const* name, char const* value) {
    namespace detail = multiprocessing::platform::detail;
    ::SetEnvironmentVariableW(detail::to_wide(name).c_str(),
                              value == nullptr ? nullptr : detail::to_wide(value).c_str());
}

inline bool is_inheritable(multiprocessing::platform::native_handle handle) {
    DWORD flags = 0;
    return ::GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_INHERIT) != 0;
}

#else

/// Takes one reference from a library that somebody else has loaded.
inline void unload(char const* path) {
    void* const again = ::dlopen(path, RTLD_NOLOAD | RTLD_NOW);
    ::dlclose(again);
    ::dlclose(again);
}

/// Null takes the variable away.
inline void set_environment(char const* name, char const* value) {
    if (value == nullptr) ::unsetenv(name);
    else ::setenv(name, value, 1);
}

inline bool is_inheritable(multiprocessing::platform::native_handle handle) {
    return (::fcntl(handle, F_GETFD) & FD_CLOEXEC) == 0;
}

#endif

}  // namespace test
