// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/api.hpp — what the library calls of Windows, declared by
// itself.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

// <windows.h> is not included: it would define thousands of macros in the user's file (ERROR, near,
// small, interface), and what it defines depends on who includes it first (WIN32_LEAN_AND_MEAN,
// NOGDI, _WIN32_WINNT), so that ours would take something from theirs. The declarations here are,
// type for type, those of <windows.h>, which may stand before or after. Structures have names of
// our own and go through a cast; tests/platform/detect_windows_before_win32_test.cpp compares them.

#include <cstddef>
#include <cstdint>

struct _EXCEPTION_POINTERS;
struct _FILETIME;
struct _IO_COUNTERS;
struct _MEMORY_BASIC_INFORMATION;
struct _OVERLAPPED;
struct _PROCESS_INFORMATION;
struct _PROC_THREAD_ATTRIBUTE_LIST;
struct _SECURITY_ATTRIBUTES;
struct _STARTUPINFOW;
struct _SYSTEM_INFO;
struct HINSTANCE__;
union _LARGE_INTEGER;

namespace multiprocessing::platform::inline win32::detail {

using dword = unsigned long;
using bool_t = int;
using module_t = HINSTANCE__*;
using exception_filter = long(__stdcall*)(_EXCEPTION_POINTERS*);
using function_t = long long(__stdcall*)();

inline constexpr dword infinite = 0xffff'ffff;

struct FileTime {
    dword low = 0;
    dword high = 0;

    [[nodiscard]] std::uint64_t value() const noexcept { return std::uint64_t{high} << 32 | low; }
    _FILETIME* native() noexcept { return reinterpret_cast<_FILETIME*>(this); }
};

struct MemoryInfo {  // MEMORY_BASIC_INFORMATION
    void* base;
    void* allocation;
    dword allocation_protect;
    unsigned short partition;
    std::size_t bytes;
    dword state;
    dword protect;
    dword type;

    _MEMORY_BASIC_INFORMATION* native() noexcept {
        return reinterpret_cast<_MEMORY_BASIC_INFORMATION*>(this);
    }
};

struct SystemInfo {  // SYSTEM_INFO
    dword architecture;
    dword page_bytes;
    void* lowest;
    void* highest;
    std::size_t processor_mask;
    dword processors;
    dword processor_type;
    dword granularity;
    unsigned short level;
    unsigned short revision;

    _SYSTEM_INFO* native() noexcept { return reinterpret_cast<_SYSTEM_INFO*>(this); }
};

struct Overlapped {  // OVERLAPPED
    std::uintptr_t internal = 0;
    std::uintptr_t internal_high = 0;
    dword offset = 0;
    dword offset_high = 0;
    void* event = nullptr;

    _OVERLAPPED* native() noexcept { return reinterpret_cast<_OVERLAPPED*>(this); }
};

struct StartupInfo {  // STARTUPINFOEXW
    dword bytes = sizeof(StartupInfo);
    wchar_t* reserved = nullptr;
    wchar_t* desktop = nullptr;
    wchar_t* title = nullptr;
    dword x = 0, y = 0, x_size = 0, y_size = 0, x_chars = 0, y_chars = 0, fill = 0, flags = 0;
    unsigned short show = 0;
    unsigned short reserved2_bytes = 0;
    unsigned char* reserved2 = nullptr;
    void* input = nullptr;
    void* output = nullptr;
    void* error = nullptr;
    _PROC_THREAD_ATTRIBUTE_LIST* attributes = nullptr;

    _STARTUPINFOW* native() noexcept { return reinterpret_cast<_STARTUPINFOW*>(this); }
};

struct ProcessInfo {  // PROCESS_INFORMATION
    void* process = nullptr;
    void* thread = nullptr;
    dword process_id = 0;
    dword thread_id = 0;

    _PROCESS_INFORMATION* native() noexcept {
        return reinterpret_cast<_PROCESS_INFORMATION*>(this);
    }
};

}  // namespace multiprocessing::platform::inline win32::detail

#define MULTIPROCESSING_WIN32_API(result) __declspec(dllimport) result __stdcall

extern "C" {

// Errors, text
MULTIPROCESSING_WIN32_API(unsigned long) GetLastError();
MULTIPROCESSING_WIN32_API(void) SetLastError(unsigned long);
MULTIPROCESSING_WIN32_API(int)
MultiByteToWideChar(unsigned, unsigned long, char const*, int, wchar_t*, int);
MULTIPROCESSING_WIN32_API(int)
WideCharToMultiByte(unsigned, unsigned long, wchar_t const*, int, char*, int, char const*, int*);
MULTIPROCESSING_WIN32_API(unsigned long)
FormatMessageW(unsigned long, void const*, unsigned long, unsigned long, wchar_t*, unsigned long,
               char**);
MULTIPROCESSING_WIN32_API(void*) LocalFree(void*);

// Handles
MULTIPROCESSING_WIN32_API(int) CloseHandle(void*);
MULTIPROCESSING_WIN32_API(int)
DuplicateHandle(void*, void*, void*, void**, unsigned long, int, unsigned long);
MULTIPROCESSING_WIN32_API(int) GetHandleInformation(void*, unsigned long*);
MULTIPROCESSING_WIN32_API(int) SetHandleInformation(void*, unsigned long, unsigned long);
MULTIPROCESSING_WIN32_API(void*) GetStdHandle(unsigned long);
MULTIPROCESSING_WIN32_API(int) SetStdHandle(unsigned long, void*);
MULTIPROCESSING_WIN32_API(unsigned long) WaitForSingleObject(void*, unsigned long);
MULTIPROCESSING_WIN32_API(unsigned long)
WaitForMultipleObjects(unsigned long, void* const*, int, unsigned long);
MULTIPROCESSING_WIN32_API(int)
RegisterWaitForSingleObject(void**, void*, void(__stdcall*)(void*, unsigned char), void*,
                            unsigned long, unsigned long);
MULTIPROCESSING_WIN32_API(int) UnregisterWaitEx(void*, void*);
MULTIPROCESSING_WIN32_API(void*)
CreateEventW(_SECURITY_ATTRIBUTES*, int, int, wchar_t const*);
MULTIPROCESSING_WIN32_API(void*) OpenEventW(unsigned long, int, wchar_t const*);
MULTIPROCESSING_WIN32_API(int) SetEvent(void*);
MULTIPROCESSING_WIN32_API(int) ResetEvent(void*);
MULTIPROCESSING_WIN32_API(void*) CreateMutexW(_SECURITY_ATTRIBUTES*, int, wchar_t const*);
MULTIPROCESSING_WIN32_API(int) ReleaseMutex(void*);

// Memory
MULTIPROCESSING_WIN32_API(void*)
CreateFileMappingW(void*, _SECURITY_ATTRIBUTES*, unsigned long, unsigned long, unsigned long,
                   wchar_t const*);
MULTIPROCESSING_WIN32_API(void*) OpenFileMappingW(unsigned long, int, wchar_t const*);
MULTIPROCESSING_WIN32_API(void*)
MapViewOfFile(void*, unsigned long, unsigned long, unsigned long, unsigned long long);
MULTIPROCESSING_WIN32_API(int) UnmapViewOfFile(void const*);
MULTIPROCESSING_WIN32_API(void*)
VirtualAlloc(void*, unsigned long long, unsigned long, unsigned long);
MULTIPROCESSING_WIN32_API(int) VirtualFree(void*, unsigned long long, unsigned long);
MULTIPROCESSING_WIN32_API(unsigned long long)
VirtualQuery(void const*, _MEMORY_BASIC_INFORMATION*, unsigned long long);

// Processes and threads
MULTIPROCESSING_WIN32_API(void*) GetCurrentProcess();
MULTIPROCESSING_WIN32_API(unsigned long) GetCurrentProcessId();
MULTIPROCESSING_WIN32_API(void*) GetCurrentThread();
MULTIPROCESSING_WIN32_API(unsigned long) GetCurrentThreadId();
MULTIPROCESSING_WIN32_API(void*) OpenProcess(unsigned long, int, unsigned long);
MULTIPROCESSING_WIN32_API(unsigned long) GetProcessId(void*);
MULTIPROCESSING_WIN32_API(int)
GetProcessTimes(void*, _FILETIME*, _FILETIME*, _FILETIME*, _FILETIME*);
MULTIPROCESSING_WIN32_API(int) GetExitCodeProcess(void*, unsigned long*);
MULTIPROCESSING_WIN32_API(int) TerminateProcess(void*, unsigned);
MULTIPROCESSING_WIN32_API(unsigned) SetErrorMode(unsigned);
MULTIPROCESSING_WIN32_API(multiprocessing::platform::win32::detail::exception_filter)
SetUnhandledExceptionFilter(multiprocessing::platform::win32::detail::exception_filter);
MULTIPROCESSING_WIN32_API(int)
CreateProcessW(wchar_t const*, wchar_t*, _SECURITY_ATTRIBUTES*, _SECURITY_ATTRIBUTES*, int,
               unsigned long, void*, wchar_t const*, _STARTUPINFOW*, _PROCESS_INFORMATION*);
MULTIPROCESSING_WIN32_API(int)
InitializeProcThreadAttributeList(_PROC_THREAD_ATTRIBUTE_LIST*, unsigned long, unsigned long,
                                  unsigned long long*);
MULTIPROCESSING_WIN32_API(int)
UpdateProcThreadAttribute(_PROC_THREAD_ATTRIBUTE_LIST*, unsigned long, unsigned long long, void*,
                          unsigned long long, void*, unsigned long long*);
MULTIPROCESSING_WIN32_API(void) DeleteProcThreadAttributeList(_PROC_THREAD_ATTRIBUTE_LIST*);
MULTIPROCESSING_WIN32_API(void*)
CreateThread(_SECURITY_ATTRIBUTES*, unsigned long long, unsigned long(__stdcall*)(void*), void*,
             unsigned long, unsigned long*);
MULTIPROCESSING_WIN32_API(int)
GetProcessAffinityMask(void*, unsigned long long*, unsigned long long*);
MULTIPROCESSING_WIN32_API(unsigned long) GetActiveProcessorCount(unsigned short);
MULTIPROCESSING_WIN32_API(void) Sleep(unsigned long);
MULTIPROCESSING_WIN32_API(unsigned long) FlsAlloc(void(__stdcall*)(void*));
MULTIPROCESSING_WIN32_API(int) FlsFree(unsigned long);
MULTIPROCESSING_WIN32_API(void*) FlsGetValue(unsigned long);
MULTIPROCESSING_WIN32_API(int) FlsSetValue(unsigned long, void*);

// Modules
MULTIPROCESSING_WIN32_API(HINSTANCE__*) GetModuleHandleW(wchar_t const*);
MULTIPROCESSING_WIN32_API(int) GetModuleHandleExW(unsigned long, wchar_t const*, HINSTANCE__**);
MULTIPROCESSING_WIN32_API(unsigned long) GetModuleFileNameW(HINSTANCE__*, wchar_t*, unsigned long);
MULTIPROCESSING_WIN32_API(HINSTANCE__*) LoadLibraryExW(wchar_t const*, void*, unsigned long);
MULTIPROCESSING_WIN32_API(int) FreeLibrary(HINSTANCE__*);
MULTIPROCESSING_WIN32_API(multiprocessing::platform::detail::function_t)
GetProcAddress(HINSTANCE__*, char const*);
MULTIPROCESSING_WIN32_API(int)
K32EnumProcessModules(void*, HINSTANCE__**, unsigned long, unsigned long*);

// Files and pipes
MULTIPROCESSING_WIN32_API(void*)
CreateFileW(wchar_t const*, unsigned long, unsigned long, _SECURITY_ATTRIBUTES*, unsigned long,
            unsigned long, void*);
MULTIPROCESSING_WIN32_API(unsigned long)
GetFullPathNameW(wchar_t const*, unsigned long, wchar_t*, wchar_t**);
MULTIPROCESSING_WIN32_API(int) GetFileSizeEx(void*, _LARGE_INTEGER*);
MULTIPROCESSING_WIN32_API(unsigned long) GetFileType(void*);
MULTIPROCESSING_WIN32_API(int)
ReadFile(void*, void*, unsigned long, unsigned long*, _OVERLAPPED*);
MULTIPROCESSING_WIN32_API(int)
WriteFile(void*, void const*, unsigned long, unsigned long*, _OVERLAPPED*);
MULTIPROCESSING_WIN32_API(int) GetOverlappedResult(void*, _OVERLAPPED*, unsigned long*, int);
MULTIPROCESSING_WIN32_API(int) CancelIoEx(void*, _OVERLAPPED*);
MULTIPROCESSING_WIN32_API(void*)
CreateNamedPipeW(wchar_t const*, unsigned long, unsigned long, unsigned long, unsigned long,
                 unsigned long, unsigned long, _SECURITY_ATTRIBUTES*);
MULTIPROCESSING_WIN32_API(int) ConnectNamedPipe(void*, _OVERLAPPED*);
MULTIPROCESSING_WIN32_API(int)
PeekNamedPipe(void*, void*, unsigned long, unsigned long*, unsigned long*, unsigned long*);
MULTIPROCESSING_WIN32_API(int) GetNamedPipeClientProcessId(void*, unsigned long*);
MULTIPROCESSING_WIN32_API(int) GetNamedPipeServerProcessId(void*, unsigned long*);

// The machine, the program
MULTIPROCESSING_WIN32_API(long)
BCryptGenRandom(void*, unsigned char*, unsigned long, unsigned long);
MULTIPROCESSING_WIN32_API(int) QueryPerformanceCounter(_LARGE_INTEGER*);
MULTIPROCESSING_WIN32_API(int) QueryPerformanceFrequency(_LARGE_INTEGER*);
MULTIPROCESSING_WIN32_API(void) GetSystemInfo(_SYSTEM_INFO*);
MULTIPROCESSING_WIN32_API(wchar_t*) GetCommandLineW();
MULTIPROCESSING_WIN32_API(unsigned long) GetCurrentDirectoryW(unsigned long, wchar_t*);
MULTIPROCESSING_WIN32_API(int) SetCurrentDirectoryW(wchar_t const*);
MULTIPROCESSING_WIN32_API(unsigned long)
GetEnvironmentVariableW(wchar_t const*, wchar_t*, unsigned long);

}  // extern "C"

#undef MULTIPROCESSING_WIN32_API
