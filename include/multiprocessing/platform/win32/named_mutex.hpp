// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/named_mutex.hpp — a named mutex of the kernel.
// Layer 1 (platform). Implements platform/named_mutex.hpp.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace multiprocessing::platform::inline win32 {

class NamedMutex {
public:
    static constexpr std::size_t mutex_bytes = sizeof(detail::dword);

    static void prepare(std::byte*) noexcept {}

    /// In the memory: the thread that owns it, since the kernel lets that one in again. A dead
    /// one's number may be another's by now; but then the mutex says that it was abandoned.
    NamedMutex(std::byte* place, std::string const& name)
        : owner_(*reinterpret_cast<detail::dword*>(place)),
          mutex_(::CreateMutexW(nullptr, 0, detail::to_wide(name + ".mutex").c_str())) {
        if (!mutex_) throw_last_error("CreateMutex", name);
    }

    MutexTaken lock(std::uint64_t timeout_ns) {
        constexpr detail::dword abandoned = 0x80, timed_out = 0x102, forever = 0xffff'ffff;
        auto const ms = std::min<std::uint64_t>(
            timeout_ns / 1'000'000 + (timeout_ns % 1'000'000 != 0 ? 1 : 0), forever - 1);
        bool const endless = timeout_ns == std::numeric_limits<std::uint64_t>::max();
        auto const result = ::WaitForSingleObject(
            mutex_.get(), endless ? forever : static_cast<detail::dword>(ms));
        if (result == timed_out) return MutexTaken::no;
        if (result != 0 && result != abandoned) throw_last_error("WaitForSingleObject");
        auto const self = ::GetCurrentThreadId();
        if (result == 0 && owner_ == self) {
            ::ReleaseMutex(mutex_.get());
            throw RuntimeError("this thread has locked the segment already");
        }
        owner_ = self;
        return result == abandoned ? MutexTaken::from_dead : MutexTaken::yes;
    }

    void unlock() noexcept {
        owner_ = 0;
        ::ReleaseMutex(mutex_.get());
    }

private:
    detail::dword& owner_;
    Handle mutex_;
};

}  // namespace multiprocessing::platform::inline win32
