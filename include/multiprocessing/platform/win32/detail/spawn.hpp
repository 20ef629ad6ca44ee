// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/spawn.hpp — CreateProcess with a list of handles.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/children.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace multiprocessing::platform::inline win32::detail {

// As CommandLineToArgvW and the C runtime take it apart again: backslashes count only before a
// quotation mark.
inline void append_argument(std::wstring& line, std::wstring_view argument) {
    if (!line.empty()) line += L' ';
    if (!argument.empty() && argument.find_first_of(L" \t\n\v\"") == argument.npos) {
        line += argument;
        return;
    }
    line += L'"';
    std::size_t backslashes = 0;
    for (wchar_t const c : argument) {
        if (c == L'"') line.append(backslashes + 1, L'\\');
        backslashes = c == L'\\' ? backslashes + 1 : 0;
        line += c;
    }
    line.append(backslashes, L'\\');
    line += L'"';
}

inline std::wstring command_line(std::vector<std::string> const& arguments) {
    std::wstring line;
    for (auto const& argument : arguments) append_argument(line, to_wide(argument));
    return line;
}

// While one of these exists, a child may inherit the handle.
class Inheritable {
public:
    explicit Inheritable(native_handle handle) : handle_(handle) {
        if (::GetHandleInformation(handle, &before_) == 0) throw_last_error("GetHandleInformation");
        set(inherit_flag);
    }
    Inheritable(Inheritable&& other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), before_(other.before_) {}
    Inheritable& operator=(Inheritable&&) = delete;
    ~Inheritable() {
        if (handle_ != nullptr)
            ::SetHandleInformation(handle_, inherit_flag, before_ & inherit_flag);
    }

private:
    void set(dword flags) const {
        if (::SetHandleInformation(handle_, inherit_flag, flags) == 0)
            throw_last_error("SetHandleInformation");
    }

    native_handle handle_;
    dword before_ = 0;
};

// Inheritable copies of the standard streams: the originals may be none, or not be inheritable.
class StandardStreams {
public:
    StandardStreams() {
        for (std::size_t i = 0; i < streams_.size(); ++i) {
            native_handle const stream = ::GetStdHandle(numbers[i]);
            native_handle const self = ::GetCurrentProcess();
            native_handle copy = nullptr;
            // -1, an error, would also be this process.
            if (stream != nullptr && stream != self &&
                ::DuplicateHandle(self, stream, self, &copy, 0, 1, same_access) != 0)
                streams_[i] = Handle(copy);
        }
    }

    void add_to(StartupInfo& info, std::vector<native_handle>& list) const {
        constexpr dword use_standard_streams = 0x100;
        info.flags |= use_standard_streams;
        info.input = streams_[0].get();
        info.output = streams_[1].get();
        info.error = streams_[2].get();
        for (auto const& stream : streams_)
            if (stream) list.push_back(stream.get());
    }

private:
    static constexpr dword numbers[] = {0xffff'fff6, 0xffff'fff5, 0xffff'fff4};  // -10, -11, -12

    std::array<Handle, 3> streams_;
};

// The handles that reach the child, and none else.
class HandleList {
public:
    explicit HandleList(std::vector<native_handle> handles) : handles_(std::move(handles)) {
        constexpr std::uintptr_t attribute = 0x2'0002;  // PROC_THREAD_ATTRIBUTE_HANDLE_LIST
        unsigned long long bytes = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &bytes);
        memory_ = std::make_unique<std::byte[]>(bytes);
        if (::InitializeProcThreadAttributeList(get(), 1, 0, &bytes) == 0)
            throw_last_error("InitializeProcThreadAttributeList");
        if (::UpdateProcThreadAttribute(get(), 0, attribute, handles_.data(),
                                      handles_.size() * sizeof(native_handle), nullptr,
                                      nullptr) == 0) {
            ::DeleteProcThreadAttributeList(get());
            throw_last_error("UpdateProcThreadAttribute");
        }
    }
    HandleList(HandleList const&) = delete;
    HandleList& operator=(HandleList const&) = delete;
    ~HandleList() { ::DeleteProcThreadAttributeList(get()); }

    [[nodiscard]] _PROC_THREAD_ATTRIBUTE_LIST* get() const noexcept {
        return reinterpret_cast<_PROC_THREAD_ATTRIBUTE_LIST*>(memory_.get());
    }

private:
    std::vector<native_handle> handles_;
    std::unique_ptr<std::byte[]> memory_;
};

inline std::int64_t spawn(std::string const& program, std::vector<std::string> const& arguments,
                          std::span<native_handle const> inherited) {
    constexpr dword extended_startup_info = 0x0008'0000;
    auto const path = to_wide(program);
    auto line = command_line(arguments);
    Children::Place place;
    ProcessInfo started;
    {
        std::lock_guard guard(Children::instance().starting());
        std::vector<native_handle> list(inherited.begin(), inherited.end());
        std::vector<Inheritable> inheritable;
        inheritable.reserve(list.size());
        for (auto const handle : inherited) inheritable.emplace_back(handle);
        StandardStreams const streams;
        StartupInfo info;
        streams.add_to(info, list);
        std::unique_ptr<HandleList> handles;
        if (!list.empty()) {
            handles = std::make_unique<HandleList>(list);
            info.attributes = handles->get();
        }
        if (::CreateProcessW(path.c_str(), line.data(), nullptr, nullptr, !list.empty(),
                           extended_startup_info, nullptr, nullptr, info.native(),
                           started.native()) == 0)
            throw_last_error("CreateProcess", program);
    }
    ::CloseHandle(started.thread);
    return place.enter(started.process_id, Handle(started.process));
}

}  // namespace multiprocessing::platform::inline win32::detail
